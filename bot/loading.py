"""How the program is loaded: quickly, and without what only a library's other users need."""

import gc
import sys


def begin() -> None:
    """From now until `end` the program is loaded, and no garbage is looked for: there is next to none."""
    gc.disable()
    # structlog can draw with rich, and loads all of it for that; here `bot/logs.py` draws. Typer finds it when it helps.
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules["rich"]


def end() -> None:
    """Leave what was loaded out of garbage collections for good: to go through it stops everything for 0.1 s."""
    gc.freeze()
    gc.enable()
