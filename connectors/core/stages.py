"""The measured stages of a connector's work on a frame and on an order, published on `sys.<connector>.stages.`."""

STAGES = (
    "parse",  # from the frame's arrival to its messages
    "book",  # into the order book, its sequence checked
    "encode",  # the message that reports it
    "publish",  # handed to the bus
    "command",  # an order, from the event that the strategy decided on to its arrival here
    "check",  # decoded, and through the risk check
    "sign",  # its request, written and signed
    "apply",  # its journal record, encoded and applied to the tracker
    "journal",  # in the file
    "send",  # handed to the network
)
PARSE, BOOK, ENCODE, PUBLISH, COMMAND, CHECK, SIGN, APPLY, JOURNAL, SEND = range(len(STAGES))
