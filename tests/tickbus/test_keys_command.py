"""`tickbus keys` as a user calls it with pipes, and a run that needs a key."""

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios

import pytest

from actors.log.secret import Secret
from tickbus.keys.keyfile import KeyFile

pytestmark = pytest.mark.process

KEY, SECRET, PHRASE = "api-key-of-main-0001", "very-secret-of-main-0001", "open sesame 42"


@pytest.fixture
def added(tickbus, folder):
    done = tickbus("keys", "add", "main", input=f"{PHRASE}\n{KEY}\n{SECRET}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == f"main added to {folder}/tickbus/keys\n"


def test_a_key_is_added_listed_and_removed(tickbus, folder, added):
    assert tickbus("keys", "list").stdout == "main  hmac\n"
    assert json.loads(tickbus("keys", "list", "--json").stdout)["keys"] == {"main": "hmac"}
    wrong = tickbus("keys", "remove", "main", input="something else\n")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "the passphrase is wrong" in wrong.stderr
    assert tickbus("keys", "remove", "main", input=f"{PHRASE}\n").returncode == 0
    assert "no keys in" in tickbus("keys", "list").stderr


def test_a_key_is_replaced_only_on_request(tickbus, added):
    again = tickbus("keys", "add", "main", input=f"{PHRASE}\nx\ny\n")
    assert again.returncode == 2
    assert "has a key `main` already: choose another name, or --replace" in again.stderr
    assert tickbus("keys", "add", "main", "--replace", input=f"{PHRASE}\n{KEY}2\n{SECRET}2\n").returncode == 0


@pytest.mark.parametrize("given", ["", f"{PHRASE}\n", f"{PHRASE}\n{KEY}\n"])
def test_missing_input_is_named_and_nothing_is_written(tickbus, folder, given):
    done = tickbus("keys", "add", "main", input=given, start_new_session=True)  # without a terminal
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert not (folder / "tickbus" / "keys").exists()


def test_key_and_secret_are_two_lines_of_a_pipe_where_the_passphrase_is_in_a_file(tickbus, folder, monkeypatch):
    phrase = folder / "phrase"
    phrase.touch(0o600)
    phrase.write_text(f"{PHRASE}\n")
    monkeypatch.setenv("TICKBUS_PASSPHRASE_FILE", str(phrase))
    done = tickbus("keys", "add", "main", input=f"{KEY}\n{SECRET}\n")
    assert done.returncode == 0, done.stderr
    assert key_in(folder) == (KEY, SECRET)


def test_a_passphrase_in_the_pipe_never_becomes_the_key_where_a_file_has_one_too(tickbus, folder, monkeypatch):
    (folder / "phrase").write_text(f"{PHRASE}\n")
    (folder / "phrase").chmod(0o600)
    monkeypatch.setenv("TICKBUS_PASSPHRASE_FILE", str(folder / "phrase"))
    assert tickbus("keys", "add", "main", input=f"{PHRASE}\n{KEY}\n{SECRET}\n").returncode == 0
    stored = KeyFile(folder / "tickbus" / "keys").get("main", Secret(PHRASE))
    assert (stored.key, stored.secret.reveal()) == (KEY, SECRET)


def test_with_key_and_secret_in_a_pipe_the_passphrase_is_typed_at_the_terminal(folder):
    terminal, inner = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(inner, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        [sys.executable, "-m", "tickbus", "keys", "add", "main"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, preexec_fn=take_terminal,  # noqa: PLW1509
    )  # fmt: skip
    child.stdin.write(f"{KEY}\n{SECRET}\n".encode())
    child.stdin.close()
    try:
        for prompt in (b"passphrase of the key file", b"once more"):
            shown = b""
            while prompt not in shown:
                shown += os.read(terminal, 1024)
            os.write(terminal, f"{PHRASE}\n".encode())
        assert child.wait(20) == 0, child.stderr.read()
    finally:
        child.kill()
        child.wait()
        os.close(terminal)
        os.close(inner)
    assert key_in(folder) == (KEY, SECRET)


def key_in(folder):
    key = KeyFile(folder / "tickbus" / "keys").get("main", Secret(PHRASE))
    return key.key, key.secret.reveal()


def test_an_ed25519_key_comes_from_its_pem_file(tickbus, folder):
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    for name, key in (("good", Ed25519PrivateKey.generate()), ("bad", generate_private_key(SECP256R1()))):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    done = tickbus("keys", "add", "ed", "--ed25519", folder / "good.pem", input=f"{PHRASE}\n{KEY}\n")
    assert done.returncode == 0, done.stderr
    assert tickbus("keys", "list").stdout == "ed  ed25519\n"
    done = tickbus("keys", "add", "ec", "--ed25519", folder / "bad.pem", input=f"{PHRASE}\n{KEY}\n")
    assert (done.returncode, "not an Ed25519 private key" in done.stderr) == (2, True)


def test_a_running_actor_gets_its_key_and_no_file_line_or_argument_shows_it(tickbus, run_file, folder, added, wait_for):
    (folder / "keyed.py").write_text(
        "from actors.actor import Actor\n\n\nclass Keyed(Actor):\n"
        "    def on_start(self):\n"
        f"        self.health('HAS', str(self.keys.secret.reveal() == {SECRET[::-1]!r}[::-1]))\n"
        "        self.log.info('canary', secret=self.keys.secret, text='signature=' + self.keys.secret.reveal())\n"
    )
    run_file.write_text(run_file.read_text() + '[actors.keyed]\nuse = "keyed:Keyed"\nkeys = "main"\n')
    refused = tickbus("up", run_file, input="not the passphrase\n")
    assert (refused.returncode, "the passphrase is wrong" in refused.stderr) == (2, True)
    assert tickbus("up", run_file, input=f"{PHRASE}\n").returncode == 0
    run_dir = folder / ".tickbus" / "h"
    try:
        assert wait_for(lambda: "HAS True" in tickbus("status", run_file).stdout)
        for entry in os.listdir("/proc"):
            if entry.isdigit() and str(folder) in _text(f"/proc/{entry}/cmdline"):
                assert SECRET not in _text(f"/proc/{entry}/cmdline")
                assert PHRASE not in _text(f"/proc/{entry}/cmdline") + _text(f"/proc/{entry}/environ")
    finally:
        tickbus("down", run_file)
    for path in run_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert PHRASE.encode() not in content, path
    assert '"secret":"***"' in (run_dir / "logs" / "keyed.log").read_text()
    assert not list(folder.glob("tickbus-*")) or all(one.is_dir() for one in folder.glob("tickbus-*")), (
        "the passphrase file is deleted"
    )


def _text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
