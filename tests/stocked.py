"""The demo accounts with a stock of base assets, for tests whose first order is a sale."""

from decimal import Decimal

import msgspec

from venue.base import demo
from venue.base.settings import AccountSettings

STOCK = {"BTC": Decimal(2), "USDT": Decimal(120000), "ETH": Decimal(20), "BNB": Decimal(10)}


def stocked_accounts() -> list[AccountSettings]:
    """Returns the demo accounts; `maker`, which begins with USDT alone, has a stock."""
    return [msgspec.structs.replace(one, balances=STOCK) if one.name == "maker" else one for one in demo.accounts()]
