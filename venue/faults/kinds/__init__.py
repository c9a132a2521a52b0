"""The kinds of faults, one class each, without the machinery that applies them."""
