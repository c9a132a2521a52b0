# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The Cython implementation of `connectors.binance.parse.PlainParser`: one pass over frames in Binance's exact layout.

It parses a frame only if each byte is as expected, and passes every other frame to the Python implementation, so that
their results cannot differ.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memchr, memcmp

from market._levels cimport scan_array
from market.levels import MAX_INT
from protocol import BookDelta, Side, TopOfBook, Trade

cdef int64_t TIMES = <int64_t>1 << 43  # MAX_TIME_MS of the Python implementation
cdef int64_t IDS = MAX_INT
cdef int DIGITS_MAX = 18  # of a number: it fits an int64
cdef object BUY = Side.BUY
cdef object SELL = Side.SELL

cdef struct Cursor:
    const char* at  # NULL once a byte was not as expected
    const char* end


cdef inline void _skip(Cursor* c, const char* text, Py_ssize_t n) noexcept nogil:
    """Pass over these very bytes."""
    if c.at != NULL:
        if c.end - c.at >= n and memcmp(c.at, text, n) == 0:
            c.at += n
        else:
            c.at = NULL


cdef inline int64_t _integer(Cursor* c) noexcept nogil:
    """Pass over a JSON integer that is not negative."""
    cdef const char* p = c.at
    cdef const char* first = p
    cdef int64_t value = 0
    if p == NULL:
        return 0
    while p < c.end and 48 <= p[0] <= 57 and p - first < DIGITS_MAX:
        value = value * 10 + (p[0] - 48)
        p += 1
    if p == first or (first[0] == 48 and p - first > 1) or p == c.end or 48 <= p[0] <= 57:
        c.at = NULL
        return 0
    c.at = p
    return value


cdef inline int64_t _scaled(Cursor* c, int digits) noexcept nogil:
    """Pass over a decimal and its closing quote. Returns its value in units of 10**-digits."""
    cdef const char* p = c.at
    cdef const char* first = p
    cdef int64_t value = 0
    cdef int left = digits
    if p == NULL:
        return -1
    while p < c.end and 48 <= p[0] <= 57 and p - first < DIGITS_MAX:
        value = value * 10 + (p[0] - 48)
        p += 1
    if p == first:
        c.at = NULL
        return -1
    if p < c.end and p[0] == 46:
        p += 1
        if p == c.end or not 48 <= p[0] <= 57:
            c.at = NULL
            return -1
        while left and p < c.end and 48 <= p[0] <= 57 and p - first < DIGITS_MAX:
            value = value * 10 + (p[0] - 48)
            left -= 1
            p += 1
        while p < c.end and p[0] == 48:
            p += 1
    if p == c.end or p[0] != 34 or (p - first) + left > DIGITS_MAX:
        c.at = NULL  # numbers with more digits too: the Python implementation handles them
        return -1
    c.at = p + 1
    while left:
        value *= 10
        left -= 1
    if value > IDS:
        c.at = NULL
        return -1
    return value


cdef class Scale:
    """A market's name on the bus, and the digits of its ticks and lots."""

    cdef object symbol
    cdef int price_digits, size_digits

    def __init__(self, rules):
        self.symbol = rules.symbol
        self.price_digits, self.size_digits = rules.price_digits, rules.size_digits


cdef inline Scale _scale(Cursor* c, dict scales):
    """Pass over a market's name and its closing quote: returns what is known of the market."""
    cdef const char* close
    if c.at == NULL:
        return None
    close = <const char*>memchr(c.at, 34, c.end - c.at)
    if close == NULL:
        c.at = NULL
        return None
    name = PyBytes_FromStringAndSize(c.at, close - c.at)
    c.at = close + 1
    scale = scales.get(name)
    if scale is None:
        c.at = NULL
    return <Scale>scale


cdef bytes _levels(Cursor* c, Scale scale):
    """Pass over an array of levels: returns those levels, packed."""
    cdef const uint8_t* at = <const uint8_t*>c.at
    if at == NULL:
        return None
    levels = scan_array(
        &at, <const uint8_t*>c.end, scale.price_digits, 1, scale.size_digits, 1, False
    )
    if levels is None:
        c.at = NULL
    else:
        c.at = <const char*>at
    return levels


cdef inline bint _unwrap(Cursor* c) noexcept nogil:
    """Pass over `{"stream":"...","data":` if it is there; returns whether it was."""
    cdef const char* p
    if c.end - c.at < 11 or memcmp(c.at, b'{"stream":"', 11) != 0:
        return False
    p = c.at + 11
    while p < c.end and (48 <= p[0] <= 57 or 64 <= p[0] <= 90 or 97 <= p[0] <= 122 or p[0] == 33 or p[0] == 95):
        p += 1
    c.at = p if p > c.at + 11 else NULL
    _skip(c, b'","data":', 9)
    return True


cdef class FastParser:
    """See PlainParser."""

    cdef dict scales
    cdef object plain
    cdef object plain_parse

    def __init__(self, plain):
        self.scales = {}
        self.plain = plain
        self.plain_parse = plain.parse

    def add_market(self, name, rules):
        """Understand the frames of Binance's market `name` ("BTCUSDT")."""
        self.plain.add_market(name, rules)
        self.scales[name.encode()] = Scale(rules)

    def parse_snapshot(self, name, body, ts_recv_ns):
        """Returns the book in a REST depth answer. Raises BadFrame or FinerFrame."""
        return self.plain.parse_snapshot(name, body, ts_recv_ns)

    def parse(self, bytes frame not None, ts_recv_ns):
        """Returns the message in a frame. Raises BadFrame or FinerFrame, and nothing else, whatever the bytes are."""
        cdef Cursor c
        cdef bint wrapped
        cdef object message = None
        c.at = PyBytes_AS_STRING(frame)
        c.end = c.at + PyBytes_GET_SIZE(frame)
        wrapped = _unwrap(&c)
        if c.at != NULL and c.end - c.at > 16:
            if memcmp(c.at, b'{"e":"depthUpdat', 16) == 0:
                message = self._depth(&c, wrapped, ts_recv_ns)
            elif memcmp(c.at, b'{"u":', 5) == 0:
                message = self._top(&c, wrapped, ts_recv_ns)
            elif memcmp(c.at, b'{"e":"trade","E"', 16) == 0:
                message = self._trade(&c, wrapped, ts_recv_ns)
        if message is None:
            return self.plain_parse(frame, ts_recv_ns)
        return (message,)

    cdef object _depth(self, Cursor* c, bint wrapped, object ts_recv_ns):
        cdef int64_t time_ms, first_id, update_id
        cdef Scale scale
        _skip(c, b'{"e":"depthUpdate","E":', 23)
        time_ms = _integer(c)
        _skip(c, b',"s":"', 6)
        scale = _scale(c, self.scales)
        _skip(c, b',"U":', 5)
        first_id = _integer(c)
        _skip(c, b',"u":', 5)
        update_id = _integer(c)
        _skip(c, b',"b":', 5)
        if c.at == NULL or time_ms >= TIMES or not first_id <= update_id <= IDS:
            return None
        bids = _levels(c, scale)
        _skip(c, b',"a":', 5)
        asks = _levels(c, scale)
        _close(c, wrapped)
        if c.at == NULL:
            return None
        return BookDelta(
            scale.symbol, first_id, update_id, bids, asks, time_ms * 1_000_000, ts_recv_ns, scale.price_digits,
            scale.size_digits,
        )

    cdef object _top(self, Cursor* c, bint wrapped, object ts_recv_ns):
        cdef int64_t update_id, bid_ticks, bid_lots, ask_ticks, ask_lots
        cdef Scale scale
        _skip(c, b'{"u":', 5)
        update_id = _integer(c)
        _skip(c, b',"s":"', 6)
        scale = _scale(c, self.scales)
        if c.at == NULL or update_id > IDS:
            return None
        _skip(c, b',"b":"', 6)
        bid_ticks = _scaled(c, scale.price_digits)
        _skip(c, b',"B":"', 6)
        bid_lots = _scaled(c, scale.size_digits)
        _skip(c, b',"a":"', 6)
        ask_ticks = _scaled(c, scale.price_digits)
        _skip(c, b',"A":"', 6)
        ask_lots = _scaled(c, scale.size_digits)
        _close(c, wrapped)
        if c.at == NULL:
            return None
        return TopOfBook(
            scale.symbol, update_id, bid_ticks, bid_lots, ask_ticks, ask_lots, 0, ts_recv_ns, scale.price_digits,
            scale.size_digits,
        )

    cdef object _trade(self, Cursor* c, bint wrapped, object ts_recv_ns):
        cdef int64_t time_ms, trade_id, price_ticks, size_lots
        cdef Scale scale
        cdef bint buyer_made
        _skip(c, b'{"e":"trade","E":', 17)
        _integer(c)
        _skip(c, b',"s":"', 6)
        scale = _scale(c, self.scales)
        _skip(c, b',"t":', 5)
        trade_id = _integer(c)
        if c.at == NULL or trade_id > IDS:
            return None
        _skip(c, b',"p":"', 6)
        price_ticks = _scaled(c, scale.price_digits)
        _skip(c, b',"q":"', 6)
        size_lots = _scaled(c, scale.size_digits)
        _skip(c, b',"T":', 5)
        time_ms = _integer(c)
        buyer_made = c.at != NULL and c.end - c.at > 9 and memcmp(c.at, b',"m":true', 9) == 0
        _skip(c, b',"m":true,"M":true' if buyer_made else b',"m":false,"M":true', 18 if buyer_made else 19)
        _close(c, wrapped)
        if c.at == NULL or time_ms >= TIMES:
            return None
        taker = SELL if buyer_made else BUY
        return Trade(
            scale.symbol, trade_id, taker, price_ticks, size_lots, time_ms * 1_000_000, ts_recv_ns, scale.price_digits,
            scale.size_digits,
        )


cdef inline void _close(Cursor* c, bint wrapped) noexcept nogil:
    """Pass over the closing braces, at which the frame must end."""
    _skip(c, b"}}", 2 if wrapped else 1)
    if c.at != NULL and c.at != c.end:
        c.at = NULL
