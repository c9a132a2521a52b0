"""The command line and the processes of a run."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
