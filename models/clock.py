"""Time as a dependency: rules take dates, operations take `now`, only `SystemClock` reads the wall."""

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def zone_or_utc(name: str | None) -> ZoneInfo:
    """The IANA zone of that name; UTC when Slack gave none or one this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def today_in(zone: str | None, now: datetime) -> date:
    """The calendar day in `zone` at the instant `now`."""
    return now.astimezone(zone_or_utc(zone)).date()
