"""What every test may use: the recorded market data, where it is present."""

from pathlib import Path

import pytest

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def recorded():
    """`recorded("binance_spot/btcusdt_20240808.gz")` gives the file's path, or skips the test where it is missing."""

    def find(name: str) -> Path:
        path = RECORDED / name
        if not path.exists():
            pytest.skip(f"recorded data {name} is not here")
        return path

    return find
