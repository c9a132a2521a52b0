"""Accounts with fixed keys for demos and tests on one machine. These keys are public."""

from collections.abc import Collection
from decimal import Decimal

from venue.base.settings import AccountSettings, KeySettings

MAKER_KEY = "demo-key-of-the-maker-account-on-the-local-exchange-0000000000001"
MAKER_SECRET = "demo-secret-of-the-maker-account-on-the-local-exchange-0000000001"
ED25519_KEY = "demo-key-ed25519-of-the-maker-account-on-the-local-exchange-00001"
ED25519_PRIVATE_PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIHRpY2tidXMtZGVtby1lZDI1NTE5LXNlZWQtMDAwMDAx
-----END PRIVATE KEY-----
"""
ED25519_PUBLIC_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAMebkqdekR1x3iSXtvs26ztvFeX4c8ownq5sjQZSR8QM=
-----END PUBLIC KEY-----
"""
EXTERNAL_KEY = "demo-key-of-the-external-account-on-the-local-exchange-0000000002"
EXTERNAL_SECRET = "demo-secret-of-the-external-account-on-the-local-exchange-0000002"
# Its key in earlier versions, for scripts that contain it.
FORMER_KEY = "demo-key-of-the-human-account-on-the-local-exchange-0000000000002"
FORMER_SECRET = "demo-secret-of-the-human-account-on-the-local-exchange-0000000002"
READER_KEY = "demo-key-read-only-of-the-maker-account-on-the-local-exchange-003"
READER_SECRET = "demo-secret-read-only-of-the-maker-account-on-the-exchange-00003"

FORMER_ACCOUNTS = {"human": "external"}
"""Names of demo accounts in ledgers, run files and requests of earlier versions, and the names now."""


def account_name(name: str, known: Collection[str]) -> str:
    """The name now of an account of an earlier version; `name` itself if an account of the exchange is named so."""
    current = FORMER_ACCOUNTS.get(name, name)
    return current if name not in known and current in known else name


def accounts() -> list[AccountSettings]:
    """`maker` for the bot (HMAC, Ed25519 and read-only keys) and `external` for external orders beside it."""
    return [
        AccountSettings(
            name="maker",
            keys=[
                KeySettings(api_key=MAKER_KEY, secret=MAKER_SECRET),
                KeySettings(api_key=ED25519_KEY, ed25519_public_key=ED25519_PUBLIC_PEM),
                KeySettings(api_key=READER_KEY, secret=READER_SECRET, can_trade=False),
            ],
            balances={"USDT": Decimal(120000)},
        ),
        AccountSettings(
            name="external",
            keys=[
                KeySettings(api_key=EXTERNAL_KEY, secret=EXTERNAL_SECRET),
                KeySettings(api_key=FORMER_KEY, secret=FORMER_SECRET),
            ],
            balances={"BTC": Decimal(2), "USDT": Decimal(120000), "ETH": Decimal(20)},
        ),
    ]
