"""A house of real processes around a real clock."""

from pathlib import Path

import pytest


@pytest.fixture
def house(house_of):
    return house_of(Path(__file__).with_name("cast.py"))
