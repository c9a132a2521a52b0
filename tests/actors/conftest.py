"""A house of a teller and its followers, in processes of their own; and the cast for tests in one process."""

import importlib.util
import sys
from pathlib import Path

import pytest

CAST = Path(__file__).with_name("cast.py")


@pytest.fixture
def house(house_of):
    return house_of(CAST)


@pytest.fixture(scope="session")
def cast():
    """The module: its messages can then be read here, too."""
    spec = importlib.util.spec_from_file_location("cast", CAST)
    module = importlib.util.module_from_spec(spec)
    sys.modules["cast"] = module
    spec.loader.exec_module(module)
    return module
