"""The tick order of a run file: mistakes in names, in `follows` and in the order, and the order of all actors."""

import re
from collections.abc import Iterable
from typing import Any

from actors.run.toml_check import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
OPERATOR = re.compile(r"operator-\d+")  # the processes of `tickbus pause`, `cancel-all` and so on
RESERVED = ("clockd", "venue", "supervisord")


def order_mistakes(order: Any, follows: dict[str, Any]) -> list[str]:
    """Mistakes in names, in `follows` and in the clock's order. Wrong types are left to the table check."""
    found = []
    for name in follows:
        if name in RESERVED or OPERATOR.fullmatch(name):
            found.append(f"`{name}` is a reserved name: rename the actor - at `$.actors.{name}`")
        elif not NAME.fullmatch(name):
            found.append(f"actor name `{name}`: want at most 32 of a-z 0-9 _ -, a letter first - at `$.actors`")
    edges = {name: _names(one) for name, one in follows.items()}
    for name, leaders in edges.items():
        for n, leader in enumerate(leaders):
            at = f"$.actors.{name}.follows[{n}]"
            if leader == name:
                found.append(f"`{name}` follows itself - at `{at}`")
            elif leader not in follows:
                others = [one for one in follows if one != name]
                found.append(f"unknown actor `{leader}`{did_you_mean(leader, others)} - at `{at}`")
    if cycle := _cycle(edges):
        found.append(f"actors follow each other in a circle: {' -> '.join(cycle)} - at `$.actors`")
    return found + _clock_mistakes(order, edges)


def tick_order(order: list[str | list[str]], follows: dict[str, list[str]]) -> list[list[str]]:
    """The order as waves of names. Those it leaves out come after all that they follow, each alone."""
    waves = [[one] if isinstance(one, str) else list(one) for one in order]
    placed = {name for wave in waves for name in wave}
    waiting = [name for name in follows if name not in placed]
    while waiting:
        ready = next((n for n in waiting if not any(one in waiting for one in follows[n])), waiting[0])
        waiting.remove(ready)
        waves.append([ready])
    return waves


def _clock_mistakes(order: Any, edges: dict[str, list[str]]) -> list[str]:
    found = []
    seen: dict[str, int] = {}
    waves = [_names(one if isinstance(one, list) else [one]) for one in order] if isinstance(order, list) else []
    for n, wave in enumerate(waves):
        at = f"$.clock.order[{n}]"
        for name in wave:
            if name not in edges:
                found.append(f"unknown actor `{name}`{did_you_mean(name, edges)} - at `{at}`")
            elif name in seen:
                found.append(f"`{name}` is in the order twice - at `{at}`")
            found += [
                f"`{name}` follows `{other}` of its own wave: put it after - at `{at}`"
                for other in edges.get(name, [])
                if other in wave and other != name
            ]
            seen.setdefault(name, n)
    for name, n in seen.items():
        late = [leader for leader in edges.get(name, []) if seen.get(leader, -1) > n]
        found += [f"`{name}` is ticked before `{one}`, which it follows - at `$.clock.order`" for one in late]
    return found


def _names(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, Iterable) else []


def _cycle(edges: dict[str, list[str]]) -> list[str]:
    """One circle of names, its first repeated at the end; empty if there is none."""
    done: set[str] = set()
    for start, leaders in edges.items():
        trail = [start]
        stack = [(start, iter(leaders))]
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                trail.pop()
                done.add(name)
            elif step in trail and step != name:
                return [*trail[trail.index(step) :], step]
            elif step in edges and step not in done and step not in trail:
                trail.append(step)
                stack.append((step, iter(edges[step])))
    return []
