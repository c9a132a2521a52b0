"""Everything that is sent between processes: messages, frames, topics, errors. Imports msgspec alone."""

from protocol import topics
from protocol.control import Answer, AnswerCode, Control, Health, Heartbeat, Snapshot, SnapshotRequest, Stages
from protocol.enums import Liquidity, OrdStatus, OrdType, SelfTradePrevention, Side, StreamState, TimeInForce
from protocol.market_data import BookDelta, BookSnapshot, BookStatus, Rules, TopOfBook, Trade
from protocol.message import Command, Message, Settings, decode, encode
from protocol.order_messages import (
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
from protocol.ticks import Join, Leave, StreamPosition, Tick, TickDone, TickReport, Welcome

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
    "StreamPosition",
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
