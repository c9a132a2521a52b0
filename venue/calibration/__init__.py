"""Statistics of recorded markets, and the profiles fitted to them."""
