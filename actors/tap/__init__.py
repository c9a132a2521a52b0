"""Tap: read the bus of a running bot."""

from actors.tap.tap import Tap, Tapped

__all__ = ["Tap", "Tapped"]
