"""Settings that every connector has."""

from urllib.parse import urlsplit

from connectors.market_data.settings import MAX_MARKETS, FeedSettings
from connectors.orders.order_settings import OrderSettings
from market.symbol import check_symbol

HTTP_SCHEMES = ("https", "http", "local")
WEBSOCKET_SCHEMES = ("wss", "ws", "local")


class ConnectorSettings(OrderSettings):
    """`limits` has one table for each market that is traded; a market without one gives market data only."""

    feed: FeedSettings = FeedSettings()

    def __post_init__(self) -> None:
        for symbol in self.markets:
            check_symbol(symbol)
        if len(set(self.markets)) < len(self.markets):
            raise ValueError(f"`markets` lists a market twice: {', '.join(self.markets)}")
        if len(self.markets) > MAX_MARKETS:
            raise ValueError(f"at most {MAX_MARKETS} markets, not {len(self.markets)}: use another connector process")
        for symbol in self.limits:
            if symbol not in self.markets:
                raise ValueError(
                    f"`limits` has {symbol}, and `markets` has not: add it there, or remove its limits "
                    f"(markets are {', '.join(self.markets)})"
                )


def check_url(name: str, url: str, schemes: tuple[str, ...]) -> None:
    """Raises ValueError if a setting is not a URL with one of these schemes and a server."""
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.netloc:
        forms = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"{name} = {url!r}: a URL begins with one of {forms} and names a server")
