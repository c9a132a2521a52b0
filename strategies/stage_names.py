"""The stages of a strategy's work, published on `sys.<strategy>.stages.` (see actors.stages)."""

STAGES = (
    "bus",  # a book delta, from the frame's arrival at the connector to its arrival here
    "replica",  # the update of the local book
    "decide",  # the strategy's decision, until it places an order
    "order",  # checking and building the order
    "send",  # encoding its command and writing it to the bus
)
BUS, REPLICA, DECIDE, ORDER, SEND = range(len(STAGES))
