"""Run files as the command line handles them: the full check, and actors that are added later."""
