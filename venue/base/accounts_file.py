"""The file of the accounts of a local exchange."""

from pathlib import Path

import msgspec

from venue.base.settings import AccountSettings
from venue.base.venue_errors import BadVenue


class AccountsFile(msgspec.Struct, forbid_unknown_fields=True):
    """The content of an accounts file."""

    accounts: list[AccountSettings]


def load_accounts(path: Path) -> list[AccountSettings]:
    """The accounts of a TOML or JSON file. Raises BadVenue."""
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        return decode(path.read_bytes(), type=AccountsFile).accounts
    except OSError as error:
        raise BadVenue(f"accounts_file {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadVenue(f"accounts_file {path}: {error}") from None
