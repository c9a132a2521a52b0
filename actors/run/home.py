"""The user's home folder, also where there is no HOME and no entry of the user in passwd (a container, a service)."""

from pathlib import Path


def home() -> Path:
    """Returns the home folder; the root folder for a user without one, as a login would."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def expanded(path: str) -> Path:
    """Returns the path with the home folder in place of a leading `~`."""
    return home() / path[2:] if path.startswith("~/") else Path(path)
