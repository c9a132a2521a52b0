"""What every part of the local exchange uses: errors, numbers, settings."""
