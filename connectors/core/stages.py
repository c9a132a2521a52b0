"""The stages of a connector's work: of a frame, and of an order. Told on `sys.<connector>.stages.` (actors.stages)."""

STAGES = (
    "parse",  # from the frame's arrival to its messages
    "book",  # into the order book, its sequence checked
    "encode",  # the message that tells of it
    "publish",  # handed to the bus
    "command",  # an order, from the event that the strategy decided on to its arrival here
    "check",  # decoded, and through the gate
    "sign",  # its request, written and signed
    "apply",  # its journal record, written in memory and tracked
    "journal",  # in the file
    "send",  # handed to the network
)
PARSE, BOOK, ENCODE, PUBLISH, COMMAND, CHECK, SIGN, APPLY, JOURNAL, SEND = range(len(STAGES))
