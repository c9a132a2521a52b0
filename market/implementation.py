"""The choice of implementation: Cython where it is compiled, Python otherwise or with TICKBUS_PLAIN=1."""

import os

FORCE_PLAIN = os.environ.get("TICKBUS_PLAIN") == "1"
