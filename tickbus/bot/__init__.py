"""A bot as a set of processes under one supervisord: its configuration, its start, its orderly stop."""
