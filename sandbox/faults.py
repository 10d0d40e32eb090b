"""Trouble ordered in advance: a Web API call that fails, hangs, or loses its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Drop: TypeAlias = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next `times` calls of `method` (in `channel`, if given)."""

    method: str
    error: str | None = None
    status: int | None = None
    drop: Drop | None = None
    hang: float | None = None
    retry_after: int | None = None
    times: int = 1
    channel: str | None = None


@dataclass
class Faults:
    ordered: list[Fault] = field(default_factory=list)

    def take(self, method: str, channel: str | None) -> Fault | None:
        """The first fault meant for this call, used up by one."""
        for fault in self.ordered:
            if fault.method == method and fault.channel in (None, channel):
                fault.times -= 1
                if fault.times <= 0:
                    self.ordered.remove(fault)
                return fault
        return None
