"""Endpoints outside the spot API that client libraries request at their start."""

from typing import Any

from venue.api.requests.endpoint import USER_DATA, ApiCall, Endpoint
from venue.base.numbers import fixed8


def trade_fee(call: ApiCall) -> list[dict[str, Any]]:
    commissions = call.engine.settlement.funds.commissions
    rows = []
    for symbol in call.symbols():
        rates = commissions.of(call.account, symbol).standard
        shown = {"makerCommission": fixed8(rates.maker), "takerCommission": fixed8(rates.taker)}
        rows.append({"symbol": symbol.name, **shown})
    return rows


def coins(call: ApiCall) -> list[dict[str, Any]]:
    """The assets of all symbols, without networks: nothing can be deposited or withdrawn here."""
    assets = dict.fromkeys(asset for s in call.engine.symbols.values() for asset in (s.base, s.quote))
    rows = []
    for asset in assets:
        balance = call.account.balance(asset)
        rows.append(
            {
                "coin": asset,
                "name": asset,
                "free": fixed8(balance.free),
                "locked": fixed8(balance.locked),
                "depositAllEnable": False,
                "withdrawAllEnable": False,
                "trading": True,
                "isLegalMoney": False,
                "networkList": [],
            }
        )
    return rows


def system_status(call: ApiCall) -> dict[str, Any]:
    return {"status": 0, "msg": "normal"}


def nothing(call: ApiCall) -> list[Any]:
    return []


def no_contracts(call: ApiCall) -> dict[str, Any]:
    return {"timezone": "UTC", "serverTime": call.ms(call.now_ns), "rateLimits": [], "symbols": []}


ENDPOINTS = [
    Endpoint("GET", "/sapi/v1/asset/tradeFee", trade_fee, 1, USER_DATA),
    Endpoint("GET", "/sapi/v1/capital/config/getall", coins, 10, USER_DATA),
    Endpoint("GET", "/sapi/v1/system/status", system_status, 1),
    Endpoint("GET", "/sapi/v1/margin/allPairs", nothing, 1),
    Endpoint("GET", "/sapi/v1/margin/allAssets", nothing, 1),
    Endpoint("GET", "/sapi/v1/margin/isolated/allPairs", nothing, 1),
    Endpoint("GET", "/fapi/v1/exchangeInfo", no_contracts, 1),
    Endpoint("GET", "/dapi/v1/exchangeInfo", no_contracts, 1),
]
