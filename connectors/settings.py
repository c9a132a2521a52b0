"""Settings that every connector has."""

from connectors.market_data.settings import FeedSettings
from connectors.orders.order_settings import OrderSettings


class ConnectorSettings(OrderSettings):
    """`limits` has one table for each market that is traded; a market without one gives market data only."""

    feed: FeedSettings = FeedSettings()
