"""Topics: tokens that each end with a dot, `kind.publisher.what...`, so that a prefix matches whole tokens only."""

import re
from functools import lru_cache

from protocol.errors import BadMessage, BadTopic

NAME = "[A-Za-z0-9_:@/+-]+"
EXTERNAL = "@external"
"""The owner of external orders: orders on the account that this bot did not place."""
FORMER_OWNERS = {"@foreign": EXTERNAL}  # names in strategies and recordings of earlier versions
_NAME = re.compile(NAME)
_TOPIC = re.compile(rf"(?:{NAME}\.)+")


def check_topic(topic: str) -> str:
    """`topic` itself. Raises BadTopic unless it is printable tokens that each end with a dot."""
    if not _TOPIC.fullmatch(topic):
        raise BadTopic(f"topic {topic!r}: use tokens of letters, digits and _:@/+-, each followed by a dot")
    return topic


@lru_cache(maxsize=65_536)
def read(topic: bytes) -> str:
    """The topic of a received frame, checked. Raises BadMessage."""
    try:
        name = check_topic(topic.decode("ascii"))
        publisher(name)
    except (UnicodeDecodeError, BadTopic) as error:
        raise BadMessage(str(error)) from None
    return name


@lru_cache(maxsize=65_536)
def peer(name: str) -> str:
    """The name that a sender has given itself, checked. Raises BadMessage if it is not an actor's name."""
    if not _NAME.fullmatch(name):
        raise BadMessage(f"{name!r} is not a valid actor name")
    return name


def market_data(connector: str, symbol: str, kind: str) -> str:
    """`md.binance.BTC-USDT.book.`; kinds: book, top, trade, rules."""
    return f"md.{connector}.{symbol}.{kind}."


@lru_cache(maxsize=65_536)
def orders(connector: str, owner: str) -> str:
    """Order updates and fills of one owner: `ord.binance.maker.`; of external orders with the owner EXTERNAL."""
    return f"ord.{connector}.{FORMER_OWNERS.get(owner, owner)}."


def account(connector: str) -> str:
    """Balances: `acct.binance.`"""
    return f"acct.{connector}."


def heart(actor: str) -> str:
    """Heartbeats: `sys.maker.heart.`"""
    return f"sys.{actor}.heart."


def health(actor: str) -> str:
    """State changes that an actor reports for itself: `sys.binance.health.`"""
    return f"sys.{actor}.health."


def refusals(connector: str) -> str:
    """Counts of refused orders: `sys.binance.refusals.`"""
    return f"sys.{connector}.refusals."


def stages(actor: str) -> str:
    """Durations of an actor's work: `sys.binance.stages.`"""
    return f"sys.{actor}.stages."


def ticks(clock: str) -> str:
    """One TickReport per tick: `sys.clockd.tick.`"""
    return f"sys.{clock}.tick."


@lru_cache(maxsize=65_536)
def commands(sender: str, target: str) -> str:
    """The stream of commands from one actor to another: `cmd.maker.binance.`"""
    return f"cmd.{sender}.{target}."


@lru_cache(maxsize=65_536)
def answers(sender: str, target: str) -> str:
    """The stream of answers from one actor to another: `ans.binance.maker.`"""
    return f"ans.{sender}.{target}."


@lru_cache(maxsize=65_536)
def publisher(topic: str) -> str:
    """The actor that publishes a topic: its second token."""
    tokens = topic.split(".", 2)
    if len(tokens) < 3:
        raise BadTopic(f"topic {topic!r} has no publisher: use kind.publisher.what.")
    return tokens[1]
