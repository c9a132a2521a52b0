"""Refusal: the text of a refusal together with its code."""

from protocol.enums import RefusalCode


class Refusal(str):
    """Why something may not be done, as text, and its `code`. Empty, and so false, if it may be done.

    A message has its parts in two fields: only `text` can be encoded.
    """

    code: RefusalCode

    def __new__(cls, text: str = "", code: RefusalCode = RefusalCode.OTHER) -> "Refusal":
        refusal = super().__new__(cls, text)
        refusal.code = code if text else RefusalCode.NONE
        return refusal

    @property
    def text(self) -> str:
        """The text alone."""
        return str(self)


ACCEPTED = Refusal()
