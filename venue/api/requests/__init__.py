"""The parameters of requests, and the new orders made of them."""
