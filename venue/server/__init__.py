"""The exchange's process: HTTP and WebSocket servers, TLS, the ledger file."""
