"""Binance Spot."""

from connectors.binance.spot import BinanceSpot

__all__ = ["BinanceSpot"]
