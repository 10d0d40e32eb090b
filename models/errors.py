"""Refusals: what a person is told, in one sentence that says what to do next."""

from collections.abc import Mapping, Sequence


class StewardError(Exception):
    """A refusal with a sentence for the person who asked: `str(error)`, plain words that whoever shows them escapes."""


class InvalidFields(StewardError):
    """Typed values that cannot be stored; `problems` maps a field's key to the sentence shown beside it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class DateProblem(StewardError):
    """A typed date that is unreadable, impossible, ambiguous or past. `phrase` is what was typed."""

    def __init__(self, phrase: str, sentence: str) -> None:
        super().__init__(sentence)
        self.phrase = phrase


class Unread(StewardError):
    """Words that mean no value of their field, or several. `typed` is what stood there."""

    def __init__(self, typed: str, sentence: str) -> None:
        super().__init__(sentence)
        self.typed = typed


class NotFound(StewardError):
    """Not there, or not for this person: the two look the same on purpose."""


class NotAllowed(StewardError):
    """The person may see the thing but not do this to it. `ask` are the people who may, "them" in the sentence."""

    def __init__(self, sentence: str, ask: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.ask = tuple(ask)

    def naming(self, names: str) -> "NotAllowed":
        """The same refusal with their names."""
        return NotAllowed(str(self).replace("Ask them", f"Ask {names}"))


class Conflict(StewardError):
    """Somebody else changed the record since the person last saw it."""


class Overtaken(Conflict):
    """Somebody else's unit was stored first, at the same moment; the same work, done once more, builds on theirs."""


class IllegalTransition(StewardError):
    """The record's status does not allow this step; the sentence names the steps it does allow."""


class WrongWorkspace(RuntimeError):
    """A programming error: a row of one workspace in a unit of another. Never shown, never stored."""


class ReadsOnly(RuntimeError):
    """A programming error: a unit that was opened to read is to store something, perhaps half of it. Never shown."""
