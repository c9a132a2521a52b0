"""Connections to one exchange: sessions, the client for requests, the order socket, the user stream, its clock."""
