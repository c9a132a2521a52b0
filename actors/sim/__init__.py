"""The simulation driver: all actors of a run in one thread and in virtual time."""
