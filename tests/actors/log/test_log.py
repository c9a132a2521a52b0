"""Logs: one line of JSON or of text for each event, and never a secret."""

import json
import subprocess
import sys

import pytest

from actors.log.log import make_log, redact_text
from actors.log.log_file import LogFile
from actors.log.secret import ApiKey, Secret

CANARY = "cAnArY-0123456789abcdef"


@pytest.fixture
def lines():
    return []


def test_a_line_is_json_with_time_actor_level_and_event_first(lines):
    log = make_log("maker", lines.append, now_ns=lambda: 1_700_000_000_123_456_789)
    log.info("filled", price=6001, sizes=(1, 2))
    assert lines == [
        '{"time":"2023-11-14T22:13:20.123456Z","actor":"maker","level":"info","event":"filled",'
        '"price":6001,"sizes":[1,2]}\n'
    ]


def test_pretty_lines_are_text(lines):
    make_log("maker", lines.append, pretty=True, now_ns=lambda: 1_700_000_000_123_456_789).warning("stale", topic="md.")
    assert lines == ["22:13:20.123 maker      warning stale topic=md.\n"]


def test_lines_below_the_level_are_not_written(lines):
    log = make_log("maker", lines.append, level="warning")
    log.info("chatter")
    log.error("trouble")
    assert [json.loads(line)["event"] for line in lines] == ["trouble"]


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"key": Secret(CANARY)},
        {"key": ApiKey("abcdefghijkl", Secret(CANARY))},
        {"url": f"https://api.binance.com/api/v3/order?symbol=BTCUSDT&signature={CANARY}&timestamp=1"},
        {"headers": {"X-MBX-APIKEY": CANARY, "Accept": "*/*"}},
        {"body": f'{{"apiKey": "{CANARY}"}}'},
        {"body": f"secret={CANARY}".encode()},
        {"deep": [{"list": (f"and {CANARY} inside",)}]},
        {"error": ValueError(f"bad key {CANARY}")},
        {"signature": CANARY},
        {"pem": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"},
    ],
)
def test_a_secret_shows_in_no_line(lines, pretty, fields):
    Secret(CANARY)
    make_log("binance", lines.append, pretty=pretty).info("request", **fields)
    assert CANARY not in lines[0]
    assert "***" in lines[0] or "ApiKey(abcd..." in lines[0]


def test_values_of_secret_names_are_blanked_even_if_they_are_not_registered():
    assert redact_text("GET /order?signature=0a1b2c&symbol=X") == "GET /order?signature=***&symbol=X"
    assert redact_text("X-MBX-APIKEY: abc123, Accept: x") == "X-MBX-APIKEY: ***, Accept: x"


def test_a_traceback_is_logged_without_the_secret_in_it(lines):
    log = make_log("binance", lines.append)
    try:
        raise RuntimeError(f"signing with {Secret(CANARY).reveal()}")
    except RuntimeError:
        log.exception("broke")
    assert CANARY not in lines[0]
    assert "RuntimeError: signing with ***" in json.loads(lines[0])["exception"]


def test_a_secret_shows_in_no_repr_format_or_pickle():
    import pickle

    secret = Secret(CANARY)
    assert [repr(secret), str(secret), f"{secret}", "%s" % secret] == ["***"] * 4  # noqa: UP031
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_log_file_rotates_and_keeps_a_few(tmp_path):
    file = LogFile(tmp_path / "maker.log", max_bytes=100)
    for n in range(40):
        file.write(f"line number {n:04d} of many\n")
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "maker.log",
        "maker.log.1",
        "maker.log.2",
        "maker.log.3",
    ]
    assert "0039" in (tmp_path / "maker.log").read_text()
    assert (tmp_path / "maker.log").stat().st_mode & 0o777 == 0o600


def test_lines_that_cannot_be_written_are_counted_and_raise_nothing(tmp_path):
    file = LogFile(tmp_path / "maker.log")
    import os

    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file._fd)
    os.close(full)
    make_log("maker", file.write).info("still alive")
    assert file.dropped == 1


@pytest.mark.process
def test_logging_never_imports_rich_even_where_it_is_installed(tmp_path):
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise SystemExit('rich was imported')\n")
    code = "import actors.log.log, sys; print(any(name.startswith('rich') for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False\n", done.stderr
