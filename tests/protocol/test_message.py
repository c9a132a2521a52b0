"""Messages: fields are only ever appended; types are known by name, and every type has its handler's name."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import protocol
from protocol import AnswerCode, Balances, Fill, Health, Heartbeat, Liquidity, Message, OrderUpdate, Side, Tick
from protocol.errors import BadMessage, DuplicateMessage
from protocol.message import REGISTRY, Command, decode, encode, handler_name


class Quote(Message):
    """As an old program knows it."""

    symbol: str
    bid_ticks: int


# The same message as a newer program knows it: a field was appended. (Not registered twice: one process has one.)
NewQuote = msgspec.defstruct(
    "Quote",
    [("symbol", str), ("bid_ticks", int), ("ask_ticks", int, 0), ("venue", str, "")],
    array_like=True, frozen=True, tag=True,
)  # fmt: skip
read_new = msgspec.msgpack.Decoder(NewQuote).decode


def test_an_old_reader_skips_the_fields_that_it_does_not_know():
    assert decode(encode(NewQuote("BTC-USDT", 100, 101, "here"))) == Quote("BTC-USDT", 100)


def test_a_new_reader_fills_in_what_an_old_writer_did_not_send():
    assert read_new(encode(Quote("BTC-USDT", 100))) == NewQuote("BTC-USDT", 100, 0, "")


def test_the_wire_form_is_the_name_and_then_the_fields():
    assert msgspec.msgpack.decode(encode(Quote("BTC-USDT", 100))) == ["Quote", "BTC-USDT", 100]


@pytest.mark.parametrize("cut", range(3))
def test_a_message_without_its_needed_fields_is_a_bad_message(cut):
    with pytest.raises(BadMessage):
        decode(msgspec.msgpack.encode(["Quote", "BTC-USDT", 100][:cut]))


@pytest.mark.parametrize("kind", sorted(REGISTRY.types.values(), key=lambda kind: kind.__name__))
def test_every_message_type_reads_a_later_version_of_itself(kind):
    message = built(kind)
    row = msgspec.msgpack.decode(encode(message))
    longer = msgspec.msgpack.encode([*row, "appended", {"later": 1}, None])
    assert decode(longer) == message


def built(kind):
    """An instance with a value of the right type in every field."""
    found = {name: value(of) for name, of in fields_of(kind)}
    return kind(**found)


def fields_of(kind):
    return [(one.name, one.type) for one in msgspec.inspect.type_info(kind).fields]


def value(of):
    plain = {
        msgspec.inspect.IntType: 7, msgspec.inspect.StrType: "x", msgspec.inspect.BoolType: True,
        msgspec.inspect.FloatType: 0.5, msgspec.inspect.BytesType: b"\x01",
        msgspec.inspect.DecimalType: Decimal("1.50"),
    }  # fmt: skip
    if type(of) in plain:
        return plain[type(of)]
    if isinstance(of, msgspec.inspect.EnumType):
        return next(iter(of.cls))
    if isinstance(of, msgspec.inspect.UnionType):
        return value(of.types[0])
    if isinstance(of, msgspec.inspect.ListType):
        return [value(of.item_type)]
    if isinstance(of, msgspec.inspect.TupleType):
        return tuple(value(one) for one in of.item_types)
    if isinstance(of, msgspec.inspect.StructType):
        return built(of.cls)
    raise AssertionError(f"no value for {of}")


def test_exact_numbers_stay_exact():
    rows = [("BTC", Decimal("0.10000000"), Decimal("1E-18")), ("USDT", Decimal(10) ** 30, Decimal(0))]
    assert [[str(one) for one in row] for row in decode(encode(Balances(rows))).rows] == [
        [str(one) for one in row] for row in rows
    ]


def test_a_message_is_a_fact_and_cannot_be_changed():
    with pytest.raises(AttributeError):
        Health("LIVE").state = "HALTED"


def test_a_second_message_of_one_name_is_refused_at_its_definition():
    with pytest.raises(DuplicateMessage, match=f"message Health of {__name__}.*protocol.control: rename it"):
        type("Health", (Message,), {"__module__": __name__})
    assert REGISTRY.types["Health"] is Health


def test_the_same_module_may_define_its_message_again():
    again = type("Quote", (Message,), {"__module__": __name__, "__annotations__": {"symbol": str, "bid_ticks": int}})
    assert decode(encode(again("BTC-USDT", 1))) == again("BTC-USDT", 1)
    REGISTRY.add(Quote)


def test_a_message_defined_later_is_read_from_then_on():
    data = msgspec.msgpack.encode(["Latecomer", 5])
    with pytest.raises(BadMessage, match="Latecomer"):
        decode(data)
    late = type("Latecomer", (Message,), {"__module__": __name__, "__annotations__": {"n": int}})
    assert decode(data) == late(5)


def test_a_base_class_and_an_unknown_name_are_bad_messages():
    for name in ("Message", "Settings", "NoSuchThing", ""):
        with pytest.raises(BadMessage):
            decode(msgspec.msgpack.encode([name, 1, 2]))


@pytest.mark.parametrize(
    "row",
    [
        ["Tick", "one", 2, 3],
        ["Answer", 1, 99, ""],
        ["Answer", 1, -1, ""],
        ["Tick", None, 1, 1],
        {"Tick": 1},
        "Tick",
        None,
        [],
        [["Tick"]],
    ],
)  # fmt: skip
def test_fields_of_the_wrong_type_are_a_bad_message(row):
    with pytest.raises(BadMessage):
        decode(msgspec.msgpack.encode(row))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.binary(max_size=5)
    | st.sampled_from(sorted(REGISTRY.types)),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)  # fmt: skip


@given(TREES)
def test_any_msgpack_is_a_message_or_a_bad_message(tree):
    try:
        found = decode(msgspec.msgpack.encode(tree))
    except BadMessage:
        return
    assert msgspec.msgpack.decode(encode(found))[0] == tree[0]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Tick, "on_tick"), (OrderUpdate, "on_order_update"), (Fill, "on_fill"), (Heartbeat, "on_heartbeat")],
)
def test_a_handler_is_named_after_its_message(kind, name):
    assert handler_name(kind) == name


def test_no_two_messages_share_a_handler():
    kinds = [kind for kind in REGISTRY.types.values() if kind.__module__.startswith("protocol.")]
    assert len({handler_name(kind) for kind in kinds}) == len(kinds)


def test_the_package_names_every_message_that_it_has():
    own = {name for name, kind in REGISTRY.types.items() if kind.__module__.startswith("protocol.")}
    assert own <= set(protocol.__all__)
    assert all(hasattr(protocol, name) for name in protocol.__all__)


def test_every_command_begins_with_its_id_and_its_deadline():
    commands = [kind for kind in REGISTRY.types.values() if issubclass(kind, Command)]
    assert len(commands) >= 5
    for kind in commands:
        assert kind.__struct_fields__[:2] == ("cmd_id", "deadline_ns")


def test_the_numbers_of_the_enumerations_never_change():
    assert (Side.BUY, Side.SELL, Liquidity.MAKER, Liquidity.TAKER) == (1, 2, 1, 2)
    assert [code.name for code in AnswerCode] == ["OK", "REFUSED", "EXPIRED", "UNREACHABLE", "SILENT"]
