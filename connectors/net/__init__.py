"""Connections to an exchange: sessions, the REST client, the order socket, the user stream."""
