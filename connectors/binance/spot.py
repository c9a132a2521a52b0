"""Binance Spot: its connector. Testnet, mainnet and the local exchange differ only in their URLs."""

from typing import Literal

from actors.log.secret import ApiKey
from connectors.binance.market import BinanceMarket
from connectors.binance.requests import BinanceOrders, BinanceRequests
from connectors.connector import Connector
from connectors.settings import HTTP_SCHEMES, WEBSOCKET_SCHEMES, ConnectorSettings, check_url

LOCAL_EXCHANGE = "local://venue"
DEPTH_MAX = 5_000  # levels of a snapshot: REST API, Market Data endpoints, "Order book"


class BinanceSpot(Connector):
    """Orders by REST or by the WebSocket API, user data by the WebSocket API, market data by the streams."""

    class Settings(ConnectorSettings):
        """`logon`: how user data is subscribed; "session" logs the connection on first.

        `venue`: where orders and the account are; "paper" is the run's local exchange, which follows this market data.
        """

        rest_url: str = "https://api.binance.com"
        ws_url: str = "wss://stream.binance.com:9443"
        ws_api_url: str = "wss://ws-api.binance.com:443"
        logon: Literal["signature", "session"] = "signature"
        venue: Literal["live", "paper"] = "live"

        def __post_init__(self) -> None:
            super().__post_init__()
            check_url("rest_url", self.rest_url, HTTP_SCHEMES)
            check_url("ws_url", self.ws_url, WEBSOCKET_SCHEMES)
            check_url("ws_api_url", self.ws_api_url, WEBSOCKET_SCHEMES)
            for name in ("depth_levels", "poll_levels"):
                if getattr(self.feed, name) > DEPTH_MAX:
                    raise ValueError(f"feed.{name} = {getattr(self.feed, name)}: Binance has at most {DEPTH_MAX}")

    def make_market_api(self) -> BinanceMarket:
        return BinanceMarket(self.settings.rest_url, self.settings.ws_url)

    def make_request_api(self) -> BinanceRequests:
        return BinanceRequests()

    def make_order_api(self, keys: ApiKey) -> BinanceOrders:
        settings = self.settings
        rest_url, ws_api_url = settings.rest_url, settings.ws_api_url
        if settings.venue == "paper":
            rest_url = ws_api_url = LOCAL_EXCHANGE
        return BinanceOrders(rest_url, ws_api_url, keys, settings.recv_window_ms, settings.request_ms, settings.logon)
