"""What a user sees of a running bot: its processes, its bus and its logs."""
