"""Binance Spot: its connector. Testnet, mainnet and the local exchange differ in URLs alone."""

from typing import Literal

from actors.log.secret import ApiKey, Secret
from connectors.binance.market import BinanceMarket
from connectors.binance.requests import BinanceOrders
from connectors.connector import Connector
from connectors.market_data.feed import MarketFeed
from connectors.settings import ConnectorSettings

OWN_EXCHANGE = "local://venue"


class BinanceSpot(Connector):
    """Orders by REST, user data by the WebSocket API, market data by the streams."""

    class Settings(ConnectorSettings):
        """`logon`: how user data is subscribed to; "session" logs the connection on first.

        `venue`: where orders and the account are; "paper" is the run's own exchange, which follows this market data.
        """

        rest_url: str = "https://api.binance.com"
        ws_url: str = "wss://stream.binance.com:9443"
        ws_api_url: str = "wss://ws-api.binance.com:443"
        logon: Literal["signature", "session"] = "signature"
        venue: Literal["live", "paper"] = "live"

    def make_dialect(self, keys: ApiKey | None) -> BinanceOrders:
        settings, keys = self.settings, keys or ApiKey("", Secret(""))
        rest_url, ws_api_url = settings.rest_url, settings.ws_api_url
        if settings.venue == "paper":
            rest_url = ws_api_url = OWN_EXCHANGE
        return BinanceOrders(rest_url, ws_api_url, keys, settings.recv_window_ms, settings.request_ms, settings.logon)

    def make_feed(self) -> MarketFeed:
        settings = self.settings
        dialect = BinanceMarket(settings.rest_url, settings.ws_url)
        return MarketFeed(
            self, dialect, settings.markets, settings.feed, self.caller.ask, self.judge, self.name, self.stages,
            self.published,
        )  # fmt: skip
