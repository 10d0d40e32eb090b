"""Slash commands: one a kind, and `/steward` for everything. Adding one is a line in `COMMANDS`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from handlers import lists, projects, records, undo
from handlers.replies import Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import as_text, decoded, pieces_with_channels
from models.errors import NotFound
from models.filters import UnknownFilter, read_filters
from models.kinds import KINDS, Kind, kind_named, read_reference
from models.links import kinds_words, link_word
from views import help as help_views
from views.blocks import cut, esc
from views.values import with_article

Run = Callable[[Request, Deps], Awaitable[Reply]]


@dataclass(frozen=True)
class Command:
    """One slash command, as the manifest, the help and the README show it."""

    name: str
    summary: str
    usage: str
    kind: Kind | None = None


COMMANDS: tuple[Command, ...] = (
    *(
        Command(
            name=f"/{kind.key}",
            summary=f"Log {with_article(kind.singular)}",
            usage=f"{kind.example} | list | {kind.letter}12 | help",
            kind=kind,
        )
        for kind in KINDS
    ),
    Command(
        name="/steward",
        summary="Everything else, and all of the above",
        usage="action … | list risks | A12 | A12 done | A12 edit | A12 history | settings | help",
    ),
)


@dataclass(frozen=True)
class Verb:
    """A word `/steward` understands. `example` is what help and the README show."""

    word: str
    example: str
    summary: str


VERBS: tuple[Verb, ...] = (
    Verb("action", "action Order cables @ben", "Log an action as /action does; so with every other kind"),
    Verb("list", "list risks", "The open records of this channel's project; `/steward help list` says how to limit it"),
    Verb("my", "my", "What you own, in all projects; with filters as in `my overdue`"),
    Verb("overdue", "overdue", "What is overdue here; with filters as in `overdue #channel high`"),
    Verb("waiting", "waiting", "What waits for you: what you are to approve, and what you own that is overdue"),
    Verb("show", "A12", "A record's card"),
    Verb("done", "A12 done", "Move a record on; `/action help` and so on name the steps of each kind"),
    Verb("cancel", "A12 cancel no longer needed", "A step with the reason it asks for"),
    Verb("blocks", "A12 blocks A13", "Link two records: blocks, mitigates, causes, results in, supersedes, duplicates"),
    Verb("unlink", "A12 unlink A13", "Take the links between two records away"),
    Verb(
        "supersede",
        "D3 supersede",
        "A new decision in place of an approved one",
    ),
    Verb("happened", "R3 happened", "A risk has happened: log the issue it results in"),
    Verb("edit", "A12 edit", "Change a record in a form"),
    Verb("history", "A12 history", "Everything that happened to a record"),
    Verb("remove", "A12 remove", "Hide a record from every list; *Undo* below the answer brings it back"),
    Verb("undo", "A12 undo", "Take back the last change of a record, if it was yours"),
    Verb("undo", "undo", "Take back your last change, also after days; once more goes one further back"),
    Verb("settings", "settings", "Name, coordinator and time zone of this channel's project"),
    Verb("help", "help", "What there is, with examples"),
)


# Words after a reference that are no step of its kind: what they do, and whether that stores anything.
ABOUT_RECORD: Mapping[str, tuple[Callable[[Request, Deps, Kind, int], Awaitable[Reply]], bool]] = {
    "show": (records.show, False),
    "edit": (records.edit, False),
    "history": (records.history, False),
    "remove": (records.remove, True),
    "delete": (records.remove, True),
    "archive": (records.remove, True),
    "undo": (undo.record_typed, True),
}

# Lists with a name of their own, and what each means as filters.
LISTS: Mapping[str, str] = {
    "list": "",
    "my": "mine everywhere",
    "overdue": "overdue",
    "waiting": "waiting on me everywhere",
    **{kind.plural: kind.plural for kind in KINDS},
}


@dataclass(frozen=True)
class Parsed:
    """What a command asks for. `writes` decides whether the database's writer is taken."""

    run: Run
    writes: bool = False


def parse(name: str, text: str) -> Parsed:
    """What the typed command means. Raises NotFound, with the nearest word that would work, for what means nothing."""
    command = _command(name)
    text = text.strip()
    if command.kind is None:
        return _parse_steward(text)
    return _parse_kind(command.kind, text)


def _command(name: str) -> Command:
    """The command of that name; a workspace may have installed it with a prefix, as in /acme-action."""
    return next((c for c in COMMANDS if name == c.name or name.endswith(f"-{c.name[1:]}")), COMMANDS[-1])


def _parse_kind(kind: Kind, text: str) -> Parsed:
    """After a kind's command only the whole text is a verb, so that no title is ever taken for one."""
    if not text:
        return Parsed(lambda request, deps: records.open_form(request, deps, kind))
    if text.lower() == "list":
        return _parse_list(kind.plural, "")
    if text.lower() == "help":
        return Parsed(lambda request, deps: _help(kind))
    if about_record := _about_record(text, strict=True):
        return about_record
    hints = _if_a_record_was_meant(text)
    return Parsed(lambda request, deps: records.log_words(request, deps, kind, text, hints), writes=True)


def _if_a_record_was_meant(text: str) -> tuple[str, ...]:
    """What to say when a title reads like a step with a remark, as in "A12 done, sent by mail"."""
    reference, rest = _first_word(text)
    found = read_reference(reference)
    step = found and found[0].step_named(_first_word(rest)[0].lower())
    if found is None or step is None:
        return ()
    meant = f"{found[0].letter}{found[1]}"
    return (f"If you meant {meant} itself: undo this, then type `/steward {meant} {step.key}` and your remark.",)


def _parse_steward(text: str) -> Parsed:
    word, rest = _first_word(text)
    word = word.lower()
    if not word or word == "help":
        return Parsed(lambda request, deps: _help(kind_named(rest) if rest else None, topic=rest.lower()))
    if word in LISTS:
        return _parse_list(word, rest)
    if kind := kind_named(word):
        return _parse_kind_word(kind, rest)
    if word == "undo" and not rest:
        return Parsed(undo.last_typed, writes=True)
    if word == "settings" and not rest:
        return Parsed(projects.settings_here)
    reference, remark = _first_word(rest)
    if read_reference(reference):
        text = f"{reference} {word} {remark}"
    if about_record := _about_record(text, strict=False):
        return about_record
    kinds = {word: word for kind in KINDS for word in (kind.key, kind.plural)}
    raise NotFound(_hint(text, {verb.word: verb.example for verb in VERBS} | kinds))


def _parse_kind_word(kind: Kind, rest: str) -> Parsed:
    """`risk` opens the form, `risk ...` logs one."""
    if rest:
        return Parsed(lambda request, deps: records.log_words(request, deps, kind, rest), writes=True)
    return Parsed(lambda request, deps: records.open_form(request, deps, kind))


def _parse_list(name: str, rest: str) -> Parsed:
    """A list by its name with the filters typed after it. Raises NotFound, with the nearest filter, for other words."""
    typed = pieces_with_channels(rest)
    try:
        read_filters(typed)
        filters = read_filters([LISTS[name], " ", *typed])
    except UnknownFilter as unknown:
        raise NotFound(_filter_hint(name, unknown)) from unknown
    return Parsed(lambda request, deps: lists.show(request, deps, filters))


def _filter_hint(name: str, unknown: UnknownFilter) -> str:
    """What to type instead of a word that is no filter."""
    refused = f"I do not know “{esc(cut(unknown.word, 60))}” in a list."
    if unknown.nearest:
        meant = cut(as_text(unknown.line), 300).replace("`", "'")
        return f"{refused} Did you mean `/steward {name} {esc(meant)}`?"
    kind = next((kind for kind in KINDS if name == kind.plural), None)
    other = f" To log a new one, type `/steward {kind.key}` and your words." if kind else ""
    return (
        f'{refused} Words of a title go in quotes, as in `/steward list "switch"`; '
        f"`/steward help list` shows what there is.{other}"
    )


def _about_record(text: str, *, strict: bool) -> Parsed | None:
    """`A12`, or `A12` with a word. With `strict` an unknown word makes it a title (None), otherwise a hint."""
    word, rest = _first_word(text)
    found = read_reference(word)
    if found is None:
        return None
    kind, number = found
    said, remark = _first_word(rest)
    said = said.lower() or "show"
    if said in ABOUT_RECORD and not remark:
        run, writes = ABOUT_RECORD[said]
        return Parsed(lambda request, deps: run(request, deps, kind, number), writes=writes)
    step = kind.step_named(said)
    if step and (not remark or not strict):
        remark_read = decoded(remark)
        return Parsed(
            lambda request, deps: records.step_typed(request, deps, kind, number, step, remark_read), writes=True
        )
    if not remark and (follow_up := kind.follow_up_named(said)):
        return Parsed(lambda request, deps: records.follow(request, deps, kind, number, follow_up))
    if strict:
        return None
    if linking := _linking(found, rest):
        return linking
    words = [*(w for step in kind.steps for w in (step.key, *step.words)), *ABOUT_RECORD]
    words += [*(each.key for each in kind.follow_ups), *(f"{said} A13" for said in (*kinds_words(), "unlink"))]
    raise NotFound(_hint(rest, {known: f"{word} {known}" for known in words}, f"help {kind.plural}"))


def _linking(one: tuple[Kind, int], words: str) -> Parsed | None:
    """`blocks A13` or `unlink A13`, said of a record."""
    said, rest = _first_word(words)
    type, reference = (None, rest) if said.lower() == "unlink" else link_word(words) or (None, "")
    other = read_reference(reference)
    if other is None:
        return None
    return Parsed(lambda request, deps: records.link(request, deps, one, type, other), writes=True)


def _first_word(text: str) -> tuple[str, str]:
    """The first word and what follows it, cut at any white space."""
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    return word, rest.strip()


async def _help(kind: Kind | None, *, topic: str = "") -> Reply:
    if topic in LISTS and kind is None:
        return Tell(help_views.list_help())
    if kind is not None:
        return Tell(help_views.kind_help(kind))
    rows = [(command.name, command.summary) for command in COMMANDS]
    return Tell(help_views.all_help(rows, [(f"/steward {v.example}", v.summary) for v in VERBS]))


def _hint(typed: str, known: Mapping[str, str], help_words: str = "help") -> str:
    """A refusal with the known word nearest to the first typed one; each is given with what to type."""
    near = get_close_matches(_first_word(typed)[0].lower(), known, n=1, cutoff=0.6)
    suggestion = f"`/steward {help_words}` shows what there is."
    if near:
        suggestion = f"Did you mean `/steward {known[near[0]]}`?"
        # The example's reference may well be a record of somebody's.
        example, meant = _first_word(known[near[0]])[0], _first_word(typed)[0]
        if read_reference(example) and not read_reference(meant):
            suggestion += f" {example} stands for the record's own reference."
    return f"I do not know “{esc(cut(' '.join(decoded(typed).split()), 60))}”. {suggestion}"


async def help_pressed(request: Request, deps: Deps) -> Reply:
    return await _help(None)
