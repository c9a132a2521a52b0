from market._resting import FastRestingOrders

class FastMatching(FastRestingOrders):
    def submit(
        self,
        order_id: int,
        account: int,
        side: int,
        ord_type: int,
        tif: int,
        price_ticks: int,
        size_lots: int,
        stp: int = 0,
        peak_lots: int = 0,
        shown_lots: int = 0,
    ) -> list[tuple[int, ...]]: ...
    def cancel(self, order_id: int) -> list[tuple[int, ...]]: ...
    def cancel_all(self, account: int) -> list[tuple[int, ...]]: ...
    def reduce(self, order_id: int, new_size_lots: int) -> list[tuple[int, ...]]: ...
    def submit_many(self, rows: bytes) -> bytes: ...
    def clear(self) -> None: ...
