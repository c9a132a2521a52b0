"""Client order ids: decodable, unique for ever, made from the journal's counter and never from a clock.

    t 3f9k2m7q - maker - 4 - 1z7
      tag        owner   epoch counter        (numbers in base 32)

The tag names one journal: connector, account and the instant of the journal's first record. Two runs, or a run whose
journal was lost, can therefore never give out the same id.
"""

import re
from functools import lru_cache
from hashlib import blake2b

import msgspec

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
VALUES = {digit: value for value, digit in enumerate(DIGITS)}
TAG_CHARS = 8
OWNER_CHARS = 9
_OTHERS = re.compile("[^0-9A-Za-z]")
HASHED_CHARS = 4  # of a name that stands in an id with a hash
MAX_CHARS = 36
MAX_EPOCH = 32**7 - 1
MAX_COUNTER = 32**7 - 1


class ClientId(msgspec.Struct, frozen=True):
    """The parts of an id. `owner` is `owner_part` of the name, in older ids `former_owner_part`."""

    tag: str
    owner: str
    epoch: int
    counter: int


def base32(number: int) -> str:
    """Returns a number >= 0 in base 32, without leading zeros."""
    text = DIGITS[number % 32]
    while number := number // 32:
        text = DIGITS[number % 32] + text
    return text


def journal_tag(connector: str, account: str, begin_ns: int) -> str:
    """Returns the tag of the journal that began at `begin_ns`."""
    digest = blake2b(f"{connector}\n{account}\n{begin_ns}".encode(), digest_size=5).digest()
    return base32(int.from_bytes(digest, "big")).rjust(TAG_CHARS, "0")


def encode_id(tag: str, owner: str, epoch: int, counter: int) -> str:
    """Returns an id of at most 36 characters of [a-z A-Z 0-9 _ -]. Raises ValueError when the counters are used up."""
    if not (0 <= epoch <= MAX_EPOCH and 0 < counter <= MAX_COUNTER):
        raise ValueError(f"epoch {epoch}, counter {counter}: too large for a client order id; move the journal away")
    return f"{_head(tag, owner, epoch)}{base32(counter)}"


@lru_cache(maxsize=1_000)
def _head(tag: str, owner: str, epoch: int) -> str:
    return f"t{tag}-{owner_part(owner)}-{base32(epoch)}-"


def owner_part(owner: str) -> str:
    """Returns what an id contains of an owner's name, different for different names.

    A name of at most nine letters, digits and `_` stands as it is. Any other is its first four characters, `_` and four
    characters of a hash: `market_maker_a` and `market_maker_b`, or `a-b` and `a_b`, differ.
    """
    plain = former_owner_part(owner)
    is_hash_like = len(plain) == OWNER_CHARS and plain[HASHED_CHARS] == "_"
    if plain == owner and not is_hash_like:
        return plain
    number = int.from_bytes(blake2b(owner.encode("utf-8", "surrogatepass"), digest_size=3).digest(), "big") >> 4
    return f"{plain[:HASHED_CHARS].ljust(HASHED_CHARS, '_')}_{base32(number).rjust(4, '0')}"


def former_owner_part(owner: str) -> str:
    """Returns what older ids contain of an owner's name: nine characters, of which others than letters are `_`."""
    return _OTHERS.sub("_", owner[:OWNER_CHARS])


def decode_id(cl_ord_id: str) -> ClientId | None:
    """Returns the parts of an id; None for an id of another form, which another client made."""
    parts = cl_ord_id.split("-")
    if len(parts) != 4 or len(parts[0]) != TAG_CHARS + 1 or not cl_ord_id.startswith("t"):
        return None
    tag, owner, epoch, counter = parts[0][1:], *parts[1:]
    if not epoch or not counter or any(c not in VALUES for c in tag + epoch + counter):
        return None
    return ClientId(tag, owner, _number(epoch), _number(counter))


def _number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 32 + VALUES[digit]
    return value
