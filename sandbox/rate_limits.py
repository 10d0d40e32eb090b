"""How often an app may call, by the wall clock: so many calls a minute a method, one message a second a channel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Calls a minute. Methods of tier "special" have their own rule; of those, posting is limited below.
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
MESSAGES_PER_SECOND = 1.0
SPECIAL_PER_MINUTE = 600


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


@dataclass
class RateLimits:
    """Token buckets: a minute's calls may come in one burst, then at the tier's pace."""

    on: bool = True
    now: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def wait_for_method(self, method: str, tier: int | None) -> int | None:
        """Seconds to wait before this method may be called again; None when it may be called now."""
        per_minute = SPECIAL_PER_MINUTE if tier is None else TIERS[tier]
        return self._wait((method, ""), per_minute / 60, per_minute)

    def wait_for_channel(self, channel: str) -> int | None:
        """Seconds to wait before another message may go to this channel; None when it may go now."""
        return self._wait(("message", channel), MESSAGES_PER_SECOND, 1)

    def _wait(self, key: tuple[str, str], per_second: float, burst: float) -> int | None:
        if not self.on:
            return None
        now = self.now()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return None
        return max(1, math.ceil((1 - bucket.tokens) / per_second))
