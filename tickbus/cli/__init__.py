"""The commands of the command line, one file each; `tickbus.main` imports the one that is called."""
