"""`tickbus keys`: API keys in an encrypted file."""

import getpass
import json
import sys
from pathlib import Path
from typing import Literal

import click

from actors.log.secret import ApiKey, Secret
from actors.run.tick_order import NAME
from protocol.errors import BadKeyFile
from tickbus.keys.keyfile import KeyFile, default_path
from tickbus.keys.passphrase import find_passphrase

LINE_MAX = 4096


@click.group("keys")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="The key file. Default: the file that $TICKBUS_KEYS names, otherwise ~/.config/tickbus/keys.",
)
@click.pass_context
def command(ctx: click.Context, path: Path | None) -> None:
    """Keep API keys in a file that is encrypted with a passphrase (scrypt, AES-256-GCM).

    The passphrase is read from the terminal, a pipe, the file (mode 0600) that $TICKBUS_PASSPHRASE_FILE names, or
    systemd's credentials. Key and secret are read from the terminal or as two lines from a pipe, never from arguments.
    With a pipe, the passphrase is the first of three lines, or is typed at the terminal.
    """
    ctx.obj = KeyFile(path or default_path())


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: file, keys.")
@click.pass_obj
def list_(file: KeyFile, as_json: bool) -> None:
    """List names and kinds of the keys. Needs no passphrase."""
    names = file.names()
    if as_json:
        click.echo(json.dumps({"file": str(file.path), "keys": names}))
        return
    for name, kind in names.items():
        click.echo(f"{name}  {kind}")
    if not names:
        click.echo(f"no keys in {file.path} (tickbus keys add NAME)", err=True)


@command.command("add")
@click.argument("name")
@click.option("--ed25519", "pem", type=click.Path(path_type=Path), help="PEM file of the Ed25519 private key.")
@click.option("--replace", is_flag=True, help="Replace the key of that name.")
@click.pass_obj
def add(file: KeyFile, name: str, pem: Path | None, replace: bool) -> None:
    """Add an API key under NAME, which a run file uses as `keys = "NAME"`."""
    if not NAME.fullmatch(name):
        raise BadKeyFile(f"key name `{name}`: it must be at most 32 of a-z 0-9 _ -, a letter first")
    if name in file.names() and not replace:
        raise BadKeyFile(f"{file.path} has a key `{name}` already: choose another name, or --replace")
    prompts = ["API key: "] if pem is not None else ["API key: ", "API secret: "]
    piped = None if sys.stdin.isatty() else _piped(len(prompts))
    passphrase = find_passphrase(twice=not file.path.exists(), piped=piped)
    file.check(passphrase)
    kind: Literal["hmac", "ed25519"] = "hmac" if pem is None else "ed25519"
    key, *rest = [_read_line(prompt, piped) for prompt in prompts]
    secret = rest[0] if pem is None else _pem(pem)
    file.add(name, ApiKey(key.reveal(), secret, kind), passphrase)
    click.echo(f"{name} added to {file.path}", err=True)


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(file: KeyFile, name: str) -> None:
    """Remove the key NAME."""
    file.remove(name, find_passphrase())
    click.echo(f"{name} removed from {file.path}", err=True)


def _piped(wanted: int) -> list[str]:
    """Returns the lines of stdin: `wanted` lines, or one more if the first is the passphrase."""
    return [sys.stdin.readline(LINE_MAX) for _ in range(wanted + 1)]


def _read_line(prompt: str, piped: list[str] | None) -> Secret:
    """Returns one line from the terminal, without echo, or from the pipe. Raises BadKeyFile if it is empty."""
    text = (getpass.getpass(prompt) if piped is None else piped.pop(0)).strip()
    if not text:
        raise BadKeyFile(f"no {prompt.removesuffix(': ')} was given: nothing was changed")
    return Secret(text)


def _pem(path: Path) -> Secret:
    """Returns the text of an Ed25519 private key. Raises BadKeyFile."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        text = path.read_text(encoding="ascii")
        key = load_pem_private_key(text.encode(), None)
    except (OSError, ValueError, TypeError) as error:
        raise BadKeyFile(f"{path}: cannot read a private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyFile(f"{path}: it holds a {type(key).__name__}, not an Ed25519 private key")
    return Secret(text)
