def fast_parse_levels(
    raw: bytes | memoryview,
    price_digits: int,
    price_step: int,
    size_digits: int,
    size_step: int,
    floor_lots: bool = False,
) -> bytes: ...
def fast_scan_levels(
    raw: bytes | memoryview,
    start: int,
    price_digits: int,
    price_step: int,
    size_digits: int,
    size_step: int,
    floor_lots: bool = False,
) -> tuple[bytes, int]: ...
def fast_parse_decimal(text: bytes | str, digits: int, step: int = 1) -> int: ...
