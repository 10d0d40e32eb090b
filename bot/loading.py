"""How the program is loaded: quickly, and without what only others who use its libraries need."""

import gc
import sys


def begin() -> None:
    """Until `end` no garbage is looked for: loading leaves next to none, and a fifth of the time went into looking."""
    gc.disable()
    # structlog loads all of rich, if it is there, to draw with it; here `bot/logs.py` draws. Typer finds it as ever.
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules["rich"]


def end() -> None:
    """Leave what was loaded out of garbage collections for good: to go through it stops everything for 0.1 s."""
    gc.freeze()
    gc.enable()
