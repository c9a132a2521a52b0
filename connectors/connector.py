"""Connector: the broker in the bot. Publishes market data; places, tracks and journals orders until they are closed."""

from typing import ClassVar

from actors.actor import Actor
from actors.effects import ActorEffects
from actors.log.secret import ApiKey
from actors.stages import stages_of
from connectors.core.market_api import MarketApi
from connectors.core.market_scales import MarketScales
from connectors.core.order_api import OrderApi, RequestApi
from connectors.core.reports import Verdict
from connectors.core.stages import COMMAND, STAGES
from connectors.core.suspension import CHECK_NS, Suspension
from connectors.market_data.feed import MarketFeed
from connectors.net.ban import Ban
from connectors.net.client import ExchangeClient
from connectors.net.order_socket import OrderSocket
from connectors.net.server_clock import ServerClock
from connectors.orders.external_orders import ExternalOrders
from connectors.orders.issued_ids import IssuedIds
from connectors.orders.journal_replay import replay
from connectors.orders.manager import OrderManager
from connectors.orders.tracker import OrderTracker
from connectors.settings import ConnectorSettings
from market.scale import Scale
from protocol import (
    Answer,
    AnswerCode,
    CancelAll,
    CancelOrder,
    Control,
    Message,
    PlaceOrder,
    Refusal,
    RefusalCode,
    ReleaseTag,
    ReplaceOrder,
    topics,
)
from protocol.errors import BadRunFile

COMMANDS = ("pause", "resume", "cancel_all", "forget", "stop")
SECOND_NS = 1_000_000_000
NO_KEYS = "no keys: market data only"


class Connector(Actor):
    """The base of each exchange's connector. A subclass gives `make_market_api`, `make_request_api`, and to trade
    `make_order_api`.

    It makes its parts in its constructor, which calls these methods, and routes messages to them. With keys it has an
    order manager (`orders`); without keys it publishes market data only.
    """

    network: ClassVar[bool] = True
    journals: ClassVar[tuple[str, ...]] = ("orders", "ids")

    class Settings(ConnectorSettings):
        """See ConnectorSettings."""

    def __init__(self, name: str, settings: ConnectorSettings, effects: ActorEffects) -> None:
        super().__init__(name, settings, effects)
        self.tracker = OrderTracker()
        self.issued_ids = IssuedIds(self, self.tracker)
        self.stages = stages_of(effects, STAGES)
        self._is_stopping = False
        self._suspension = Suspension(self.suspended_ns)
        keys, clock = self.keys, ServerClock()
        ban = Ban(self, clock)
        api = None if keys is None else self.make_order_api(keys)
        order_socket = None
        if api is not None and settings.orders_by == "websocket" and api.order_socket_url():
            order_socket = OrderSocket(self, api, clock, settings.order_session, ban)
        request_api = api or self.make_request_api()
        self.client = ExchangeClient(self, request_api, clock, order_socket, ban, self._on_trouble)
        self._scales = MarketScales(self.log, self._on_finer_scale)
        self.feed = MarketFeed(
            self, self.make_market_api(), settings.markets, settings.feed, self.client.request, self.update_status,
            self.stages, self._scales, ban.left_ms, self.client.adopt_limits,
        )  # fmt: skip
        self.orders: OrderManager | None = None
        if keys is not None and api is not None:
            self.orders = OrderManager(
                self, settings, keys, self.tracker, self.issued_ids, api, self.client, self.feed, self._scales,
                self.stages, self.kill_switch, self.update_status,
            )  # fmt: skip

    def make_market_api(self) -> MarketApi:
        """Returns the exchange's market data side."""
        raise NotImplementedError

    def make_request_api(self) -> RequestApi:
        """Returns the exchange's limits, for a connector without keys."""
        raise NotImplementedError

    def make_order_api(self, keys: ApiKey) -> OrderApi:
        """Returns the exchange's order side."""
        raise BadRunFile(f"{type(self).__name__} gives market data only: remove `keys` from the run file")

    # -- lifecycle --------------------------------------------------------------------------------------------

    def on_journal(self, journal: str, records: list[bytes]) -> None:
        if journal == "ids":
            self.issued_ids.load(records)
        else:
            replay(self.tracker, records)

    def on_start(self) -> None:
        self._scales.load(self.tracker.scales)
        if self.orders is not None:
            self.orders.start(self.epoch)
            if self.effects.safe_start.seconds:
                self.orders.start_safe(self.effects.safe_start)
        self.feed.start()
        self.update_status()
        self.after(CHECK_NS, self._on_suspension_timer)

    def _on_suspension_timer(self) -> None:
        self.after(CHECK_NS, self._on_suspension_timer)
        self._check_suspension()

    def _check_suspension(self) -> None:
        """After a suspension of the machine all books are stale, and the account is read before an order is placed."""
        duration_ns = self._suspension.check()
        if not duration_ns:
            return
        reason = f"the machine was suspended for {duration_ns // SECOND_NS} s"
        self.log.warning("machine was suspended", seconds=duration_ns // SECOND_NS)
        self.feed.session.recycle(reason)
        if self.orders is not None:
            self.orders.on_suspended(reason)
        self.update_status()

    def on_stop(self) -> None:
        self._is_stopping = True
        if self.orders is not None:
            self.orders.begin_stop()
        self.update_status()

    def may_stop(self) -> bool:
        if self.orders is not None:
            if not self.orders.may_stop():
                return False
            self.orders.stop()
        self.feed.stop()
        return True

    def _on_finer_scale(self, symbol: str, scale: Scale) -> None:
        """The journal first: what follows is counted in the new scale."""
        if self.orders is not None:
            self.orders.markets.record_scale(symbol, scale)
        self.feed.set_scale(symbol, scale)

    def _on_trouble(self, verdict: Verdict) -> None:
        if self.orders is not None:
            self.orders.on_trouble(verdict)

    # -- commands and snapshots -------------------------------------------------------------------------------

    def on_place_order(self, command: PlaceOrder) -> Answer | None:
        """Places an order, or refuses it with a reason."""
        self.stages.begin(self.now_ns)
        self.stages.record(COMMAND, self.now_ns - self.envelope.ts_ns)
        self._check_suspension()
        orders = self.orders
        refusal = self._no_keys if orders is None else orders.commands.place(command, self.envelope.sender)
        return _answer(command.cmd_id, refusal)

    def on_replace_order(self, command: ReplaceOrder) -> Answer | None:
        """Cancels an order and places another, or refuses it with a reason."""
        self._check_suspension()
        orders = self.orders
        refusal = self._no_keys if orders is None else orders.commands.replace(command, self.envelope.sender)
        return _answer(command.cmd_id, refusal)

    def on_cancel_order(self, command: CancelOrder) -> Answer | None:
        """Cancels an order of the sender, or refuses it if it is unknown."""
        orders = self.orders
        refusal = self._no_keys if orders is None else orders.commands.cancel(command, self.envelope.sender)
        return _answer(command.cmd_id, refusal)

    def on_cancel_all(self, command: CancelAll) -> Answer | None:
        """Cancels all open orders of the sender, of one symbol or all, of one tag or all."""
        if self.orders is not None:
            self.orders.commands.cancel_all(command.symbol, self.envelope.sender, command.tag)
        return None

    def on_release_tag(self, command: ReleaseTag) -> Answer | None:
        """Drops the ledger of a tag of the sender, or refuses it while an order with this tag may be live."""
        orders = self.orders
        refusal = self._no_keys if orders is None else orders.commands.release(command, self.envelope.sender)
        return _answer(command.cmd_id, refusal)

    def on_control(self, command: Control) -> Answer | None:
        """Executes an operator's command: pause, resume, cancel_all, forget, stop."""
        if command.command not in COMMANDS:
            text = f"unknown command {command.command!r}: use {', '.join(COMMANDS)}"
            return _answer(command.cmd_id, Refusal(text, RefusalCode.NEVER))
        if command.command == "stop":
            self.request_stop()
        elif self.orders is not None:
            return _answer(command.cmd_id, self.orders.commands.control(command))
        return None

    def snapshot(self, topic: str, cursor: int) -> Message | None:
        if topic == topics.account(self.name):
            return None if self.orders is None else self.orders.snapshot_account()
        owner = topic.removeprefix(f"ord.{self.name}.").removesuffix(".")
        if owner and "." not in owner and topic == topics.orders(self.name, owner):
            if self.orders is not None:
                return self.orders.snapshot_orders(owner, cursor)
            return ExternalOrders().snapshot() if owner == topics.EXTERNAL else self.tracker.snapshot(owner, cursor)
        return self.feed.snapshot(topic, cursor)

    # -- state ------------------------------------------------------------------------------------------------

    def update_status(self) -> None:
        """Evaluate the state anew, and publish it if it changed."""
        if self.orders is not None:
            self.orders.refresh()
            self.health(*self.orders.status.state())
        else:
            self.health(*self._data_state())

    def _data_state(self) -> tuple[str, str]:
        """Returns (state, detail) without keys."""
        if self._is_stopping:
            n = len(self.tracker.open)  # from an earlier run with keys: nothing here can cancel them
            return "STOPPING", f"{n} orders may be live" if n else ""
        if self.feed.unknown:
            return "HALTED", self.feed.detail
        if self.feed.state == "STARTING":
            return "CONNECTING", self.client.latest_failure or self.feed.detail
        return "DATA", NO_KEYS

    @property
    def _no_keys(self) -> Refusal:
        return Refusal(f"{self.name} is {self._data_state()[0]}: {NO_KEYS}", RefusalCode.NEVER)


def _answer(cmd_id: int, refusal: Refusal) -> Answer | None:
    return Answer(cmd_id, AnswerCode.REFUSED, refusal.text, refusal.code) if refusal else None
