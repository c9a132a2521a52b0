"""The table of numbers: each of ours beside its yardstick, measured in the same run, round by round."""
