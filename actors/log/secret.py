"""Secret: values that print as `***` and that the log replaces wherever they appear."""

from typing import Literal

MIN_FILTERED_CHARS = 6
"""The log does not search for shorter values: they would blank out too much of each line."""

REGISTERED: set[str] = set()
"""Every secret value that this process has held; `actors.log.log` blanks them wherever they appear."""


class Secret:
    """A text that shows as `***` in reprs, logs and tracebacks; `reveal()` returns it, for signing."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        for line in (value, *value.splitlines()):
            if len(line) >= MIN_FILTERED_CHARS and not line.startswith("-----"):
                REGISTERED.add(line)

    def reveal(self) -> str:
        """Returns the text itself."""
        return self.__value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class ApiKey:
    """An exchange's API key. `secret`: the HMAC secret, or the PEM of an Ed25519 private key."""

    __slots__ = ("key", "kind", "secret")

    def __init__(self, key: str, secret: Secret, kind: Literal["hmac", "ed25519"] = "hmac") -> None:
        self.key = key
        self.secret = secret
        self.kind = kind

    def __repr__(self) -> str:
        return f"ApiKey({self.key[:4]}..., {self.kind})"
