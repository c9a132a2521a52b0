"""The key file: keys can be read with their passphrase, and with no other."""

import io
import os

import pytest

from actors.log.secret import ApiKey, Secret
from protocol.errors import BadKeyFile
from tickbus.keys import passphrase as passphrase_module
from tickbus.keys.keyfile import MAGIC, KeyFile, default_path
from tickbus.keys.passphrase import FILE_VARIABLE, find_passphrase, passphrase_of_environment

PASSPHRASE = Secret("correct horse battery")
KEY = ApiKey("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", Secret("NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP"))
PEM = ApiKey(
    "short",
    Secret("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n-----END PRIVATE KEY-----\n"),
    "ed25519",
)
CHEAP = 14  # log2 of scrypt's N, so that the tests do not take 0.7 s for each guess


@pytest.fixture
def keys(tmp_path):
    return KeyFile(tmp_path / "conf" / "keys", CHEAP)


def test_keys_are_read_by_name(keys):
    keys.add("main", KEY, PASSPHRASE)
    keys.add("second", PEM, PASSPHRASE)
    main, second = keys.get("main", PASSPHRASE), keys.get("second", PASSPHRASE)
    assert (main.key, main.secret, main.kind) == (KEY.key, KEY.secret, "hmac")
    assert (second.secret, second.kind) == (PEM.secret, "ed25519")


def test_names_are_readable_without_the_passphrase_and_nothing_else_is(keys):
    keys.add("main", KEY, PASSPHRASE)
    assert keys.names() == {"main": "hmac"}
    data = keys.path.read_bytes()
    for secret in (KEY.key, KEY.secret.reveal(), PASSPHRASE.reveal()):
        assert secret.encode() not in data


def test_a_wrong_passphrase_opens_nothing_and_changes_nothing(keys):
    keys.add("main", KEY, PASSPHRASE)
    before = keys.path.read_bytes()
    for act in (keys.get, keys.remove):
        with pytest.raises(BadKeyFile, match="passphrase is wrong"):
            act("main", Secret("something else"))
    with pytest.raises(BadKeyFile, match="passphrase is wrong"):
        keys.add("other", KEY, Secret("something else"))
    assert keys.path.read_bytes() == before


def test_the_file_is_private_and_refused_if_others_may_read_it(keys):
    keys.add("main", KEY, PASSPHRASE)
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.path.parent.stat().st_mode & 0o777 == 0o700
    keys.path.chmod(0o640)
    with pytest.raises(BadKeyFile, match=rf"open to others \(0640\): chmod 600 {keys.path}"):
        keys.get("main", PASSPHRASE)


def test_the_usual_cost_of_a_guess_is_128_mib_of_scrypt(tmp_path):
    keys = KeyFile(tmp_path / "keys")
    keys.add("main", KEY, PASSPHRASE)
    assert b'"log2_n":17' in keys.path.read_bytes() or keys._read()[0].log2_n == 17
    assert keys.get("main", PASSPHRASE).secret == KEY.secret


@pytest.mark.slow
def test_every_changed_byte_is_noticed(keys):
    keys.add("main", KEY, PASSPHRASE)
    data = keys.path.read_bytes()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x01
        keys.path.write_bytes(changed)
        with pytest.raises(BadKeyFile):
            keys.get("main", PASSPHRASE)


def test_a_truncated_file_is_reported_as_damaged(keys):
    keys.add("main", KEY, PASSPHRASE)
    data = keys.path.read_bytes()
    for cut in (0, 3, len(MAGIC), len(MAGIC) + 4, 60, len(data) - 1):
        keys.path.write_bytes(data[:cut])
        with pytest.raises(BadKeyFile, match=str(keys.path)):
            keys.get("main", PASSPHRASE)


def test_a_file_of_a_newer_version_needs_an_upgrade(keys):
    keys.add("main", KEY, PASSPHRASE)
    data = keys.path.read_bytes()
    keys.path.write_bytes(MAGIC[:-1] + b"\x02" + data[len(MAGIC) :])
    with pytest.raises(BadKeyFile, match="newer version"):
        keys.names()


def test_a_missing_name_is_reported_with_the_known_names(keys):
    keys.add("main", KEY, PASSPHRASE)
    with pytest.raises(BadKeyFile, match=r"no key `mian` \(it has: main\): tickbus keys add mian"):
        keys.get("mian", PASSPHRASE)
    keys.remove("main", PASSPHRASE)
    assert keys.names() == {}


def test_a_missing_file_has_no_names_and_no_key(keys):
    assert keys.names() == {}
    with pytest.raises(BadKeyFile, match="there is no key file"):
        keys.get("main", PASSPHRASE)


def test_a_passphrase_comes_from_a_private_file_that_a_variable_names(tmp_path, monkeypatch):
    file = tmp_path / "phrase"
    file.write_text("correct horse\nsecond line\n")
    file.chmod(0o600)
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    assert find_passphrase() == Secret("correct horse")
    file.chmod(0o644)
    with pytest.raises(BadKeyFile, match="open to others"):
        find_passphrase()
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(BadKeyFile, match="no passphrase file"):
        find_passphrase()


def test_a_passphrase_comes_from_systemds_credentials(tmp_path, monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert passphrase_of_environment() is None
    (tmp_path / "tickbus-passphrase").write_text("from systemd\n")
    assert passphrase_of_environment() == Secret("from systemd")


def test_a_passphrase_comes_through_a_pipe_and_an_empty_one_is_refused(monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(passphrase_module.sys, "stdin", io.StringIO("piped in\n"))
    assert find_passphrase() == Secret("piped in")
    with pytest.raises(BadKeyFile, match="no passphrase came from stdin"):
        find_passphrase()


def test_a_passphrase_in_the_environment_itself_is_never_read(monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    for name in ("TICKBUS_PASSPHRASE", "TICKBUS_PASSWORD"):
        monkeypatch.setenv(name, "leaked to every child")
    assert passphrase_of_environment() is None


def test_the_path_of_the_key_file_can_be_set(monkeypatch, tmp_path):
    monkeypatch.setenv("TICKBUS_KEYS", str(tmp_path / "k"))
    assert default_path() == tmp_path / "k"
    monkeypatch.delenv("TICKBUS_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path() == tmp_path / "tickbus" / "keys"
    assert os.fspath(default_path())
