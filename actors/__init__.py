"""Actors: synchronous state machines, and the two drivers that run them."""

from actors.actor import Actor
from actors.net import HttpAnswer, HttpFailure, HttpRequest, Link

__all__ = ["Actor", "HttpAnswer", "HttpFailure", "HttpRequest", "Link"]
