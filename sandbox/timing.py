"""How long things last by the wall clock. The moved clock of the workspace has no say here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds, as Slack documents them. Tests shorten them."""

    acknowledge: float = 3.0
    trigger: float = 3.0
    response_url: float = 30 * 60.0
    response_url_uses: int = 5
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    signature: float = 300.0
    connection_life: float = 5 * 3600.0
    short_connection_life: float = 360.0
    connection_warning: float = 10.0
    save: float = 0.5
