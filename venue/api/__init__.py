"""The exchange's API: requests by REST and WebSocket to their endpoints."""
