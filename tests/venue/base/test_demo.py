"""The demo accounts: names and keys of earlier versions still lead to an account."""

from venue.base import demo


def test_the_earlier_name_stands_for_the_account_of_today():
    assert demo.account_name("human", {"maker", "external"}) == "external"
    assert demo.account_name("maker", {"maker", "external"}) == "maker"


def test_an_account_that_is_named_like_an_earlier_one_is_not_renamed():
    assert demo.account_name("human", {"human", "external"}) == "human"
    assert demo.account_name("human", {"ann"}) == "human"


def test_the_earlier_key_signs_for_the_same_account():
    keys = {key.api_key: one.name for one in demo.accounts() for key in one.keys}
    assert keys[demo.EXTERNAL_KEY] == keys[demo.FORMER_KEY] == "external"


def test_the_account_of_the_bot_begins_with_quote_alone():
    (maker,) = [one for one in demo.accounts() if one.name == "maker"]
    assert list(maker.balances) == ["USDT"]
