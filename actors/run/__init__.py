"""Run files and run folders: what a run consists of, and the checks that find mistakes in it."""
