"""Orders as the exchange keeps them: orders, order lists, stop orders."""
