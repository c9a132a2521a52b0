"""What every test may use: the recorded market data, where it is present."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """A compiled module that is older than its source would be tested in the source's place."""
    for compiled in [*ROOT.glob("*/*.so"), *ROOT.glob("*/*/*.so")]:
        stem = compiled.name.split(".")[0]
        for suffix in (".py", ".pyx", ".pxd"):
            source = compiled.with_name(stem + suffix)
            if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
                pytest.exit(f"{source.relative_to(ROOT)} is newer than its compiled form: run `make venv`", 2)


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
