"""Names of markets on the bus: BASE-QUOTE, as in "BTC-USDT"; with their connector "binance:BTC-USDT"."""

QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "USD", "EUR", "TRY", "BRL", "JPY", "GBP", "BTC", "ETH", "BNB")
SEPARATORS = "/_:. "


def check_symbol(symbol: str) -> None:
    """Raises ValueError, with the form that is probably meant, if a symbol is not BASE-QUOTE. Letters may be any."""
    base, dash, quote = symbol.partition("-")
    has_both = base and dash and quote and "-" not in quote
    if has_both and not any(one in SEPARATORS or not one.isprintable() for one in symbol):
        return
    raise ValueError(f"{symbol!r} is not a market's name: use BASE-QUOTE, as in {_meant(symbol)}")


def _meant(symbol: str) -> str:
    """Returns the name that `symbol` probably means; an example if there is none."""
    for separator in SEPARATORS:
        base, found, quote = symbol.partition(separator)
        if found and base.isalnum() and quote.isalnum():
            return f"{base}-{quote}".upper()
    for quote in QUOTES:
        base = symbol.upper().removesuffix(quote)
        if base and base.isalnum() and base != symbol.upper():
            return f"{base}-{quote}"
    return "BTC-USDT"
