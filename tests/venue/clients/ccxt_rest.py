"""ccxt over REST: markets, book, trades, balance, place, fetch, cancel, own trades. Prints one JSON object."""

import json
import sys

import ccxt

http, key, secret = sys.argv[1:4]
exchange = ccxt.binance({"apiKey": key, "secret": secret, "enableRateLimit": False})
exchange.urls["api"] = {
    name: (f"{http}/{url.split('/', 3)[3]}" if isinstance(url, str) and url.count("/") > 2 else url)
    for name, url in exchange.urls["api"].items()
}
exchange.options["fetchMarkets"] = {"types": ["spot"]}
exchange.options["fetchMargins"] = False

markets = exchange.load_markets()
market = markets["BTC/USDT"]
book = exchange.fetch_order_book("BTC/USDT", 20)
ticker = exchange.fetch_ticker("BTC/USDT")
trades = exchange.fetch_trades("BTC/USDT", limit=5)
candles = exchange.fetch_ohlcv("BTC/USDT", "1m", limit=5)
balance = exchange.fetch_balance()
fee = exchange.fetch_trading_fee("BTC/USDT")
far_below = exchange.price_to_precision("BTC/USDT", book["bids"][0][0] * 0.9)
placed = exchange.create_order("BTC/USDT", "limit", "buy", 0.001, float(far_below))
fetched = exchange.fetch_order(placed["id"], "BTC/USDT")
open_orders = exchange.fetch_open_orders("BTC/USDT")
canceled = exchange.cancel_order(placed["id"], "BTC/USDT")
bought = exchange.create_order("BTC/USDT", "market", "buy", 0.002)
own = exchange.fetch_my_trades("BTC/USDT", params={"orderId": bought["id"]})
try:
    exchange.create_order("BTC/USDT", "limit", "buy", 100, float(far_below))
    refusal = ""
except ccxt.InsufficientFunds as error:
    refusal = str(error)
try:
    exchange.fetch_order("999999999", "BTC/USDT")
    missing = ""
except ccxt.OrderNotFound as error:
    missing = str(error)
print(
    json.dumps(
        {
            "precision": market["precision"],
            "levels": [len(book["bids"]), len(book["asks"])],
            "is_crossed": book["bids"][0][0] >= book["asks"][0][0],
            "last": ticker["last"],
            "trades": len(trades),
            "candles": len(candles),
            "free_btc": balance["BTC"]["free"],
            "taker": fee["taker"],
            "placed": placed["status"],
            "fetched": fetched["status"],
            "open": [order["id"] for order in open_orders],
            "placed_id": placed["id"],
            "canceled": canceled["status"],
            "bought": [bought["status"], bought["filled"]],
            "own": sum(trade["amount"] for trade in own),
            "refusal": refusal,
            "missing": missing,
        }
    )
)
