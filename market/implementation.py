"""Which twin serves: the compiled one where it is present, unless TICKBUS_PLAIN=1 asks for the plain one."""

import os

FORCE_PLAIN = os.environ.get("TICKBUS_PLAIN", "") == "1"
