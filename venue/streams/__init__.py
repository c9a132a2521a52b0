"""WebSocket streams: connections, subscriptions, market streams, the user stream."""
