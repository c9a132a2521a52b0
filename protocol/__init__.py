"""All that crosses a wire: messages, frames, topics, errors. Imports msgspec alone."""

from protocol import topics
from protocol.clock import Join, Leave, Mark, Tick, TickDone, TickReport, Welcome
from protocol.control import Answer, AnswerCode, Control, Health, Heartbeat, Snapshot, SnapshotRequest, Stages
from protocol.enums import Liquidity, OrdStatus, OrdType, SelfTradePrevention, Side, StreamState, TimeInForce
from protocol.market import BookDelta, BookSnapshot, BookStatus, Rules, TopOfBook, Trade
from protocol.message import Command, Message, Settings, decode, encode
from protocol.orders import (
    Balances,
    CancelAll,
    CancelOrder,
    Fill,
    OrdersSnapshot,
    OrderUpdate,
    PlaceOrder,
    PositionRow,
    ReplaceOrder,
)

__all__ = [
    "Answer",
    "AnswerCode",
    "Balances",
    "BookDelta",
    "BookSnapshot",
    "BookStatus",
    "CancelAll",
    "CancelOrder",
    "Command",
    "Control",
    "Fill",
    "Health",
    "Heartbeat",
    "Join",
    "Leave",
    "Liquidity",
    "Mark",
    "Message",
    "OrdStatus",
    "OrdType",
    "OrderUpdate",
    "OrdersSnapshot",
    "PlaceOrder",
    "PositionRow",
    "ReplaceOrder",
    "Rules",
    "SelfTradePrevention",
    "Settings",
    "Side",
    "Snapshot",
    "SnapshotRequest",
    "Stages",
    "StreamState",
    "Tick",
    "TickDone",
    "TickReport",
    "TimeInForce",
    "TopOfBook",
    "Trade",
    "Welcome",
    "decode",
    "encode",
    "topics",
]
