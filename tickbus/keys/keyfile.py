"""The encrypted key file: API keys by name, under one passphrase.

    TBKEYS 01 | header length u32 | header (JSON: scrypt parameters, salt, nonce, names) | AES-256-GCM ciphertext

All bytes before the ciphertext are authenticated with it. Names and kinds are readable without the passphrase, so
that a run file can be checked; keys and secrets are not.
"""

import os
import stat
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from actors.log.secret import ApiKey, Secret
from actors.run.home import home
from protocol.errors import BadKeyFile

MAGIC = b"TBKEYS\x01"
SCRYPT_LOG2_N = 17  # with r = 8: 128 MiB and about 0.7 s for each guess
MAX_FILE_BYTES = 1 << 20
_LENGTH_BYTES = 4
_KEY_BYTES = 32

Kind = Literal["hmac", "ed25519"]


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """The readable part. Its bounds limit the memory and the work that a forged header can cause."""

    salt: Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
    names: dict[str, Kind]
    log2_n: Annotated[int, msgspec.Meta(ge=14, le=20)] = SCRYPT_LOG2_N
    r: Literal[8] = 8
    p: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    kdf: Literal["scrypt"] = "scrypt"


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One key before encryption."""

    key: str
    secret: str
    kind: Kind = "hmac"


class KeyFile:
    """The keys in one file. Each method reads the file again; a write replaces the whole file."""

    def __init__(self, path: str | Path, log2_n: int = SCRYPT_LOG2_N) -> None:
        self.path = Path(path)
        self._log2_n = log2_n

    def names(self) -> dict[str, Kind]:
        """Returns name and kind of each key, from the header; empty if there is no file. Raises BadKeyFile."""
        return self._read()[0].names if self.path.exists() else {}

    def get(self, name: str, passphrase: Secret) -> ApiKey:
        """Returns the key `name`. Raises BadKeyFile: no such name, wrong passphrase, damaged file, wrong mode."""
        entry = self._open(passphrase).get(name)
        if entry is None:
            known = ", ".join(sorted(self.names())) or "none"
            raise BadKeyFile(f"{self.path} has no key `{name}` (it has: {known}): tickbus keys add {name}")
        return ApiKey(entry.key, Secret(entry.secret), entry.kind)

    def check(self, passphrase: Secret) -> None:
        """Raises BadKeyFile if the file exists and this passphrase does not open it."""
        if self.path.exists():
            self._open(passphrase)

    def add(self, name: str, key: ApiKey, passphrase: Secret) -> None:
        """Adds or replaces a key; creates the file if it is missing. Raises BadKeyFile."""
        entries = self._open(passphrase) if self.path.exists() else {}
        entries[name] = Entry(key.key, key.secret.reveal(), key.kind)
        self._write(entries, passphrase)

    def remove(self, name: str, passphrase: Secret) -> None:
        """Removes a key. Raises BadKeyFile if there is no such key."""
        entries = self._open(passphrase)
        if entries.pop(name, None) is None:
            raise BadKeyFile(f"{self.path} has no key `{name}`")
        self._write(entries, passphrase)

    def _open(self, passphrase: Secret) -> dict[str, Entry]:
        header, clear, sealed = self._read()
        try:
            plain = AESGCM(_derive(passphrase, header)).decrypt(header.nonce, sealed, clear)
        except InvalidTag:
            raise BadKeyFile(f"{self.path} does not open: the passphrase is wrong, or the file was changed") from None
        return msgspec.json.decode(plain, type=dict[str, Entry])

    def _read(self) -> tuple[Header, bytes, bytes]:
        """Returns (header, all bytes before the ciphertext, the ciphertext)."""
        check_private(self.path)
        data = self.path.read_bytes()[: MAX_FILE_BYTES + 1]
        if not data.startswith(MAGIC[:-1]):
            raise BadKeyFile(f"{self.path} is not a key file (`tickbus keys add` creates one)")
        if not data.startswith(MAGIC):
            raise BadKeyFile(f"{self.path} was written by a newer version of tickbus: upgrade")
        start = len(MAGIC) + _LENGTH_BYTES
        end = start + int.from_bytes(data[len(MAGIC) : start], "little")
        try:
            header = msgspec.json.decode(data[start:end], type=Header)
        except msgspec.MsgspecError as error:
            raise BadKeyFile(f"{self.path} is damaged ({error}): restore it, or add your keys again") from None
        return header, data[:end], data[end:]

    def _write(self, entries: dict[str, Entry], passphrase: Secret) -> None:
        names = {name: entry.kind for name, entry in sorted(entries.items())}
        header = Header(salt=os.urandom(32), nonce=os.urandom(12), names=names, log2_n=self._log2_n)
        text = msgspec.json.encode(header)
        clear = MAGIC + len(text).to_bytes(_LENGTH_BYTES, "little") + text
        sealed = AESGCM(_derive(passphrase, header)).encrypt(header.nonce, msgspec.json.encode(entries), clear)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.path.with_name(self.path.name + ".new")
        beside.unlink(missing_ok=True)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(clear + sealed)
            file.flush()
            os.fsync(fd)
        beside.rename(self.path)


def check_private(path: Path) -> None:
    """Raises BadKeyFile if the file is missing, belongs to another user, or can be read by others."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise BadKeyFile(f"there is no key file {path}: `tickbus keys add NAME` creates it") from None
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        raise BadKeyFile(f"{path} belongs to user {found.st_uid}, not to you")
    if mode & 0o077:
        raise BadKeyFile(f"{path} is open to others ({mode:04o}): chmod 600 {path}")


def default_path() -> Path:
    """Returns $TICKBUS_KEYS, or `tickbus/keys` in the user's folder for settings."""
    named = os.environ.get("TICKBUS_KEYS")
    base = os.environ.get("XDG_CONFIG_HOME") or home() / ".config"
    return Path(named) if named else Path(base) / "tickbus" / "keys"


def _derive(passphrase: Secret, header: Header) -> bytes:
    kdf = Scrypt(salt=header.salt, length=_KEY_BYTES, n=1 << header.log2_n, r=header.r, p=header.p)
    return kdf.derive(passphrase.reveal().encode())
