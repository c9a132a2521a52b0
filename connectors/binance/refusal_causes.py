"""The cause of a rejected order as a code for the strategy, from Binance's error code and text.

Source: errors.md of the exchange's documentation ("Messages for -1010, -2010, -2011", "Filter failures").
"""

from protocol import RefusalCode

_BY_TEXT = (  # of -1013 and -2010: the code does not show the cause
    ("insufficient balance", RefusalCode.FUNDS),
    ("immediately match", RefusalCode.WOULD_TAKE),
    ("market is closed", RefusalCode.LATER),
    ("too many", RefusalCode.LIMIT),
    ("max_num", RefusalCode.LIMIT),
    ("max_position", RefusalCode.LIMIT),
    ("percent_price", RefusalCode.LATER),  # the allowed prices follow the market
    ("filter failure", RefusalCode.NEVER),
)
_BY_CODE = {
    -1013: RefusalCode.NEVER,
    -1014: RefusalCode.NEVER,
    -1015: RefusalCode.LATER,
    -1020: RefusalCode.NEVER,
    -1002: RefusalCode.PAUSED,  # the key has to be checked by an operator
    -1022: RefusalCode.PAUSED,
    -2008: RefusalCode.PAUSED,
    -2014: RefusalCode.PAUSED,
    -2015: RefusalCode.PAUSED,
    -1003: RefusalCode.LATER,
    -1021: RefusalCode.LATER,
}
_BAD_PARAMETER = range(-1199, -1099)


def refusal_cause(code: int, msg: str) -> RefusalCode:
    """Returns the cause of an error answer to a placement."""
    if code in (-1013, -2010):
        lower = msg.lower()
        for text, cause in _BY_TEXT:
            if text in lower:
                return cause
    if code in _BAD_PARAMETER:
        return RefusalCode.NEVER
    return _BY_CODE.get(code, RefusalCode.OTHER)
