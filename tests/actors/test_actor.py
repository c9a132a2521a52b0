"""The class of an actor: handlers that no message reaches are refused at import; the stop of an actor."""

import pytest

from actors.actor import LIFECYCLE, Actor
from actors.sim.driver import Sim
from protocol import Health, Message
from protocol.errors import BadHandler
from protocol.message import REGISTRY, handler_name


def test_a_misspelt_handler_is_refused_with_a_hint():
    with pytest.raises(BadHandler, match=r"Maker: no message reaches on_tik, did you mean on_tick\?") as refused:
        type("Maker", (Actor,), {"on_tik": lambda self, tick: None})
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "near"), [("on_fil", "on_fill"), ("on_orderupdate", "on_order_update"), ("on_begin", None), ("on_", None)]
)
def test_the_hint_is_the_nearest_handler_or_all_of_them(name, near):
    with pytest.raises(BadHandler) as refused:
        type("Maker", (Actor,), {name: lambda self, message: None})
    if near:
        assert f"did you mean {near}?" in str(refused.value)
    else:
        assert "known are on_answer" in str(refused.value) or "did you mean" in str(refused.value)


def test_an_attribute_that_is_named_like_a_handler_is_refused_too():
    with pytest.raises(BadHandler, match="on_stopp"):
        type("Maker", (Actor,), {"on_stopp": 5})


def test_every_message_type_and_every_lifecycle_event_may_have_a_handler():
    names = {handler_name(kind) for kind in REGISTRY.types.values()} | set(LIFECYCLE)
    assert type("All", (Actor,), dict.fromkeys(names, lambda self, *_: None))
    assert all(hasattr(Actor, name) for name in LIFECYCLE)


def test_a_message_defined_beside_its_actor_may_have_a_handler():
    type("Greeting", (Message,), {"__module__": __name__})
    assert type("Greeter", (Actor,), {"on_greeting": lambda self, greeting: None})


class Announcer(Actor):
    """Publishes its name when it starts."""

    ticks = False

    def on_start(self):
        self.publish(f"md.{self.name}.X.health.", Health("UP"))


def test_an_actor_cannot_publish_under_another_actors_name():
    sim = Sim()
    announcer = sim.add("announcer", Announcer)
    sim.run_for(0.1)
    with pytest.raises(AssertionError, match=r"announcer publishes md\.other\.X\.health\."):
        announcer.publish("md.other.X.health.", Health("UP"))


def test_a_handler_that_fails_is_a_bug_and_is_not_swallowed():
    class Faulty(Actor):
        """Has a bug."""

        ticks = False

        def on_start(self):
            self.after(1_000, lambda: 1 // 0)

    sim = Sim()
    sim.add("faulty", Faulty)
    with pytest.raises(ZeroDivisionError):
        sim.run_for(1)


class SlowToStop(Actor):
    """Takes half a second to stop."""

    ticks = False
    busy = True

    def on_stop(self):
        self.after(500_000_000, self._done)

    def _done(self):
        self.busy = False

    def may_stop(self):
        return not self.busy


class Stubborn(SlowToStop):
    """Never stops by itself."""

    stop_within_ms = 1_000

    def may_stop(self):
        return False


@pytest.mark.parametrize(("kind", "takes_s"), [(SlowToStop, 0.5), (Stubborn, 1.0), (Announcer, 0.0)])
def test_a_stop_waits_until_the_actor_is_done_up_to_its_limit(kind, takes_s):
    sim = Sim()
    sim.add("one", kind)
    sim.run_for(1)
    process = sim.processes["one"]
    sim.request_stop("one")
    asked_ns = sim.now_ns
    if process.alive:
        sim.run_for(5, lambda: not process.alive)
    assert process.exit_code == 0
    assert takes_s <= (sim.now_ns - asked_ns) / 1e9 < takes_s + 0.1
