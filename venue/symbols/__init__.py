"""One market of the exchange: its rules, matching, candles and prices."""
