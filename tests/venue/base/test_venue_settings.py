"""Settings of the local exchange: invalid ones are rejected with a text that describes the remedy."""

from decimal import Decimal

import pytest

from venue.base.settings import AccountSettings


@pytest.mark.parametrize("amount", [Decimal("-0.00000001"), Decimal(10**10) + 1])
def test_a_balance_that_no_log_could_hold_is_refused_by_name(amount):
    with pytest.raises(ValueError, match=f"balances.USDT of whale must be from 0 to 10000000000, not {amount}"):
        AccountSettings(name="whale", balances={"USDT": amount})


def test_the_largest_balance_is_taken():
    assert AccountSettings(name="whale", balances={"USDT": Decimal(10**10)}).balances["USDT"] == 10**10
