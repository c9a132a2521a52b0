"""Run files that come with tickbus; default.toml is what `tickbus run` runs without one."""
