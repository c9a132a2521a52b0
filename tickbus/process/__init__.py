"""What every process of a bot does for itself: its lock, its log, its delay after crashes, its signals."""
