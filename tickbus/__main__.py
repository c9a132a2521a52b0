"""`python -m tickbus` is the command `tickbus`."""

from tickbus.main import main

main()
