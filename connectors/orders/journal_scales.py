"""JournalScales: the scales of a journal, and the conversion of records that count in other units."""

import msgspec

from connectors.core.records import FillRecord, NewOrderRecord, ScaleRecord
from market.scale import Scale

ONE = 1, 1


class JournalScales:
    """`scales`: the finest scale of each market so far. A ScaleRecord applies to the records after it.

    `multiples`: the ticks and lots in one unit of the next records, for markets where these are not 1 and 1.

    Journals of earlier versions have the exchange's tick and lot of their day as units (0.5, or 10, or a coarser one
    after a finer one): their records are multiplied.
    """

    def __init__(self) -> None:
        self.scales: dict[str, Scale] = {}
        self.multiples: dict[str, tuple[int, int]] = {}

    def add(self, record: ScaleRecord) -> tuple[int, int]:
        """The records that follow count in the units of `record`. Returns the factors for all before them."""
        symbol, before = record.symbol, self.scales.get(record.symbol)
        scale = Scale.of_steps(record.tick_size, record.lot_size)
        scale = self.scales[symbol] = scale if before is None else before.join(scale)
        self.multiples.pop(symbol, None)
        steps = scale.ticks(record.tick_size), scale.lots(record.lot_size)
        if steps != ONE:
            self.multiples[symbol] = steps
        return ONE if before is None else before.factors_to(scale)

    def is_current(self, symbol: str, scale: Scale) -> bool:
        """Whether the next records count in `scale`."""
        return self.scales.get(symbol) == scale and symbol not in self.multiples

    def steps(self, symbol: str) -> tuple[int, int]:
        """Returns the ticks and lots in one unit of the next records."""
        return self.multiples.get(symbol, ONE)

    def lots(self, symbol: str, lots: int) -> int:
        """Returns a size of a record in lots of the scale."""
        return lots * self.multiples[symbol][1] if symbol in self.multiples else lots

    def new_order(self, record: NewOrderRecord) -> NewOrderRecord:
        """Returns the record in the scale."""
        if record.symbol not in self.multiples:
            return record
        price_step, size_step = self.multiples[record.symbol]
        return msgspec.structs.replace(
            record, price_ticks=record.price_ticks * price_step, size_lots=record.size_lots * size_step
        )

    def fill(self, symbol: str, record: FillRecord) -> FillRecord:
        """Returns the record in the scale."""
        if symbol not in self.multiples:
            return record
        price_step, size_step = self.multiples[symbol]
        return msgspec.structs.replace(
            record, last_ticks=record.last_ticks * price_step, last_lots=record.last_lots * size_step
        )
