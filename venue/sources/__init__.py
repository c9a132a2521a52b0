"""What moves each market: generated order flow, a recording, or a live market."""
