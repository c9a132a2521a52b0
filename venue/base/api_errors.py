"""Binance's error codes with their texts and HTTP statuses (errors.md of its docs)."""

from typing import Any


class ApiError(Exception):
    """An error answer {"code": .., "msg": ..}; `data` is set for cancel-replace and rate limits only."""

    def __init__(self, code: int, msg: str, status: int = 400, data: Any = None, retry_after_s: int = 0) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.data = data
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "msg": self.msg}
        if self.data is not None:
            body["data"] = self.data
        return body


def unsupported(text: str = "This operation is not supported.") -> ApiError:
    return ApiError(-1020, text)


def filter_failure(name: str) -> ApiError:
    """-1013: the request violates the symbol's filter `name`."""
    return ApiError(-1013, f"Filter failure: {name}")


def too_old() -> ApiError:
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def too_new() -> ApiError:
    return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> ApiError:
    return ApiError(-1022, "Signature for this request is not valid.")


def bad_key_format() -> ApiError:
    return ApiError(-2014, "API-key format invalid.", 401)


def bad_key() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def illegal_characters(name: str, legal: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> ApiError:
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def too_many_parameters(expected: int, received: int) -> ApiError:
    return ApiError(-1101, f"Too many parameters; expected '{expected}' and received '{received}'.")


def not_all_read(read: int, sent: int) -> ApiError:
    return ApiError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def mandatory(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def one_of(first: str, second: str) -> ApiError:
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def empty(name: str) -> ApiError:
    return ApiError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> ApiError:
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def overflowed(name: str) -> ApiError:
    return ApiError(-1108, f"Parameter '{name}' overflowed.")


def too_precise(name: str) -> ApiError:
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def bad_combination() -> ApiError:
    """-1128: the parameters exclude each other."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def invalid(name: str) -> ApiError:
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_side() -> ApiError:
    return ApiError(-1117, "Invalid side.")


def bad_order_type() -> ApiError:
    return ApiError(-1116, "Invalid orderType.")


def bad_time_in_force() -> ApiError:
    return ApiError(-1115, "Invalid timeInForce.")


def bad_restrictions() -> ApiError:
    return ApiError(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")


def bad_ticker_type() -> ApiError:
    return ApiError(-1139, "Invalid ticker type.")


def bad_symbol() -> ApiError:
    return ApiError(-1121, "Invalid symbol.")


def bad_symbol_status() -> ApiError:
    return ApiError(-1122, "Invalid symbolStatus.")


def other_symbol_status() -> ApiError:
    """-1220: the symbol exists, but its status is another than the requested one."""
    return ApiError(-1220, "The symbol's status does not match the requested symbolStatus.")


def no_reference_price() -> ApiError:
    return ApiError(-2043, "This symbol doesn't have a reference price.")


def rejected(msg: str) -> ApiError:
    """-2010: the matching engine rejected the new order."""
    return ApiError(-2010, msg)


def insufficient() -> ApiError:
    return rejected("Account has insufficient balance for requested action.")


def market_closed() -> ApiError:
    """-1013: the symbol is halted (BREAK, HALT)."""
    return ApiError(-1013, "Market is closed.")


def unknown_order() -> ApiError:
    """-2011: no open order has that id."""
    return ApiError(-2011, "Unknown order sent.")


def amend_rejected(msg: str) -> ApiError:
    """-2038: the amendment is rejected; the order stays as it is."""
    return ApiError(-2038, msg)


def no_such_order() -> ApiError:
    return ApiError(-2013, "Order does not exist.")


def too_many_orders(limit: int, interval: str, retry_after_s: int) -> ApiError:
    msg = f"Too many new orders; current limit is {limit} orders per {interval}."
    return ApiError(-1015, msg, 429, retry_after_s=retry_after_s)


def status_unknown() -> ApiError:
    """-1007: the order may or may not have been accepted."""
    text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    return ApiError(-1007, text, 504)
