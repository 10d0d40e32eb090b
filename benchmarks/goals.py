"""What is to be reached, as ratios, and how near Steward came."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """Something of Steward's beside the same of another app: the most that the ratio may be, and what is aimed at.

    With `at_least` more is better. What is a goal by itself stands beside 1.
    """

    name: str
    value: float
    beside: float
    must: float
    aim: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.beside

    @property
    def verdict(self) -> str:
        sign = -1 if self.at_least else 1
        if sign * self.ratio > sign * self.must:
            return "**missed**"
        return "kept" if sign * self.ratio > sign * self.aim else "kept, and what was aimed at"


def judged(goals: Sequence[Goal]) -> str:
    """The goals, in Markdown, with how near Steward came."""
    lines = ["| goal | measured | must | aim | |", "|---|---|---|---|---|"]
    for goal in (goal for goal in goals if goal.beside):
        sign = "≥" if goal.at_least else "≤"
        measured = f"{goal.ratio:.{2 if goal.ratio >= 0.1 else 3}f}"
        lines.append(f"| {goal.name} | {measured} | {sign} {goal.must:g} | {sign} {goal.aim:g} | {goal.verdict} |")
    return "\n".join(lines)
