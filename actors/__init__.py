"""Actors: synchronous state machines, and the two drivers that run them."""

import tickbus_imports  # noqa: F401  # first: keeps a user's files of the same names apart
from actors import source_first  # noqa: F401  # before anything that may be compiled
from actors.actor import Actor
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

__all__ = ["Actor", "HttpAnswer", "HttpFailure", "HttpRequest", "Link"]
