"""What `tickbus doctor` checks: the installation, this machine, the user's folders and files."""
