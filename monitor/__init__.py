"""What watches a running bot: read-only on the bus."""
