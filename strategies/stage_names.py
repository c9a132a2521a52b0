"""The stages of a strategy's work, told on `sys.<strategy>.stages.` (actors.stages)."""

STAGES = (
    "bus",  # a change of the book, from the frame's arrival in the connector to its arrival here
    "replica",  # into the local book
    "decide",  # until an order is asked for
    "order",  # the order, checked and made
    "send",  # its command, encoded and handed to the bus
)
BUS, REPLICA, DECIDE, ORDER, SEND = range(len(STAGES))
