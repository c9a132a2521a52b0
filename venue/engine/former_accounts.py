"""Ledger records of earlier versions, in which a demo account had another name."""

from collections.abc import Collection

from msgspec.structs import replace

from venue.base.demo import FORMER_ACCOUNTS, account_name
from venue.engine.ledger_records import LedgerBatch


def with_names_of_today(batch: LedgerBatch, known: Collection[str]) -> LedgerBatch:
    """`batch` with the names that its accounts have now; `known` are the accounts of the exchange."""
    if not any(account_name(one, known) != one for one in FORMER_ACCOUNTS):
        return batch

    def name(account: str) -> str:
        return account_name(account, known)

    return replace(
        batch,
        orders=[replace(one, account=name(one.account)) for one in batch.orders],
        executions=[replace(one, account=name(one.account)) for one in batch.executions],
        balances=[(name(account), asset, free, locked) for account, asset, free, locked in batch.balances],
        lists=[replace(one, account=name(one.account)) for one in batch.lists],
        prevented=[
            replace(one, taker_account=name(one.taker_account), maker_account=name(one.maker_account))
            for one in batch.prevented
        ],
        amendments=[replace(one, account=name(one.account)) for one in batch.amendments],
    )
