"""Time zones as a person looks for them."""

from functools import cache
from zoneinfo import available_timezones


@cache
def _zones() -> tuple[str, ...]:
    """Region/City names, which people know, and UTC; without the historical aliases."""
    return ("UTC", *sorted(name for name in available_timezones() if _is_city(name)))


def _is_city(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))


def zones_matching(typed: str) -> list[str]:
    """The zones whose name holds the typed words, spaces standing for underscores."""
    wanted = typed.strip().lower().replace(" ", "_")
    return [zone for zone in _zones() if wanted in zone.lower()]
