"""Accounts with fixed keys for demos and tests on one machine. These keys are public."""

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
HUMAN_KEY = "demo-key-of-the-human-account-on-the-local-exchange-0000000000002"
HUMAN_SECRET = "demo-secret-of-the-human-account-on-the-local-exchange-0000000002"
READER_KEY = "demo-key-read-only-of-the-maker-account-on-the-local-exchange-003"
READER_SECRET = "demo-secret-read-only-of-the-maker-account-on-the-exchange-00003"


def accounts() -> list[AccountSettings]:
    """`maker` for the bot (HMAC, Ed25519 and read-only keys) and `human` for external orders beside it."""
    return [
        AccountSettings(
            name="maker",
            keys=[
                KeySettings(api_key=MAKER_KEY, secret=MAKER_SECRET),
                KeySettings(api_key=ED25519_KEY, ed25519_public_key=ED25519_PUBLIC_PEM),
                KeySettings(api_key=READER_KEY, secret=READER_SECRET, can_trade=False),
            ],
            balances={"BTC": Decimal(2), "USDT": Decimal(120000), "ETH": Decimal(20), "BNB": Decimal(10)},
        ),
        AccountSettings(
            name="human",
            keys=[KeySettings(api_key=HUMAN_KEY, secret=HUMAN_SECRET)],
            balances={"BTC": Decimal(2), "USDT": Decimal(120000), "ETH": Decimal(20)},
        ),
    ]
