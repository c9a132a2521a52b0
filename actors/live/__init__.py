"""The live driver: one actor in its own process, with real sockets, files and time."""
