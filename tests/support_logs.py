"""What the program writes into its log, with the filter that every line passes."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from bot import logs
from bot.settings import Settings


def settings_for(log_format: str = "json", **values: Any) -> Settings:
    return Settings(_env_file=None, log_format=log_format, **values)  # type: ignore[call-arg]


@contextmanager
def written(chosen: Settings) -> Iterator[io.StringIO]:
    """What is written from now on, as the program writes it with these settings."""
    root, stream = logging.getLogger(), io.StringIO()
    levels = {name: logging.getLogger(name).level for name in ("", *logs.OURS)}
    hook, others = sys.excepthook, root.handlers[:]
    root.handlers.clear()
    with redirect_stderr(stream):
        logs.configure(chosen)
    try:
        yield stream
    finally:
        logging.captureWarnings(False)
        sys.excepthook = hook
        root.handlers[:] = others
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]
