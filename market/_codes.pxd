# cython: language_level=3
"""`market.codes` and the protocol's enumerations, known to the C compiler; a test compares them."""

cdef enum:
    ACCEPTED = 1
    TRADE = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5
    PREVENTED = 6
    REDUCED = 7

cdef enum:
    WOULD_TAKE = 1
    NO_LIQUIDITY = 2
    FOK_UNFILLABLE = 3
    STP_EXPIRED = 4
    DUPLICATE_ID = 5
    BAD_SIZE = 6
    BAD_PRICE = 7
    BAD_FIELD = 8

cdef enum:
    OP_SUBMIT = 0
    OP_CANCEL = 1
    OP_REDUCE = 2

cdef enum:
    BUY = 1
    SELL = 2
    MARKET = 1
    LIMIT = 2
    LIMIT_MAKER = 101
    GTC = 1
    IOC = 3
    FOK = 4

cdef enum:
    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3
    DECREMENT = 4
    TRANSFER = 5

cdef enum:
    ROW_INTS = 9  # int64s of a row
