"""Slash commands: one a kind, and `/steward` for everything. Adding one is a line in `COMMANDS`."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from handlers import (
    away,
    channels,
    digest,
    edits,
    escalations,
    finding,
    lists,
    many,
    me,
    moves,
    project_life,
    projects,
    reactions,
    records,
    standups,
    summary,
    tables,
    talk,
    undo,
    watching,
)
from handlers.replies import Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import as_text, decoded, pieces_with_channels
from models.errors import NotFound
from models.filters import UnknownFilter, read_filters, read_search
from models.kinds import KINDS, Kind, kind_named, read_reference
from models.links import kinds_words, link_word
from models.operations import Source
from views import help as help_views
from views.blocks import cut, esc
from views.values import with_article

Run = Callable[[Request, Deps], Awaitable[Reply]]


@dataclass(frozen=True)
class Command:
    """One slash command, as the manifest, the help and the README show it; `read` says what typed words mean."""

    name: str
    summary: str
    usage: str
    read: "Callable[[str], Parsed]"
    kind: Kind | None = None


COMMANDS: tuple[Command, ...] = (
    *(
        Command(
            name=f"/{kind.key}",
            summary=f"Log {with_article(kind.singular)}",
            usage=f"{kind.example} | list | {kind.letter}12 | help",
            read=lambda text, kind=kind: _parse_kind(kind, text),  # type: ignore[misc]
            kind=kind,
        )
        for kind in KINDS
    ),
    Command(
        name="/standup",
        summary="Set up, answer and look at stand-ups",
        usage="new | list | answer | history | help",
        read=lambda text: _parse_standup(text),
    ),
    Command(
        name="/steward",
        summary="Everything else, and all of the above",
        usage="action … | list risks | A12 | A12 done | A12 edit | A12 history | paste | import | settings | help",
        read=lambda text: _parse_steward(text),
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
    Verb("my", "my", "What you own or help with, in all projects; with filters as in `my overdue`"),
    Verb("overdue", "overdue", "What is overdue here; with filters as in `overdue #channel high`"),
    Verb("waiting", "waiting", "What waits for you: what you are to approve, and what you own that is overdue"),
    Verb("escalations", "escalations", "What waits for an answer: who was asked when, and when the next one is"),
    Verb(
        "find",
        "find core switch",
        "Records with these words, closed ones too: the best of the newest 1,000; `/steward help find`",
    ),
    Verb("show", "A12", "A record's card"),
    Verb("done", "A12 done", "Move a record on; `/action help` and so on name the steps of each kind"),
    Verb("cancel", "A12 cancel no longer needed", "A step with the reason it asks for"),
    Verb(
        "blocks",
        "A12 blocks A13",
        "Link two records: blocks, mitigates, causes, results in, supersedes, duplicates, follows, part of",
    ),
    Verb("unlink", "A12 unlink A13", "Take the links between two records away"),
    Verb(
        "supersede",
        "D3 supersede",
        "A new decision in place of an approved one",
    ),
    Verb("happened", "R3 happened", "A risk has happened: log the issue it results in"),
    Verb("edit", "A12 edit", "Change a record in a form"),
    Verb("history", "A12 history", "Everything that happened to a record"),
    Verb(
        "comment",
        "A12 comment Ben has the quote",
        "Say something about a record; `A12 reword` says it in other words, `A12 uncomment` takes it back",
    ),
    Verb(
        "owner",
        "A12 @ben by monday !high #pilot",
        "Change owner, due date (`no date`), priority, tags (`-#pilot`), `p4 i3`; `because …` at the end says why",
    ),
    Verb("helper", "A12 helper @kavya", "Name somebody who helps; `A12 helper -@kavya` or `A12 unhelp` ends it"),
    Verb("watch", "A12 watch", "Hear when a record's status or due date changes; `A12 unwatch` ends it"),
    Verb("move", "A12 move #office", "Move a record to the project of another channel, with its history"),
    Verb("remove", "A12 remove", "Hide a record from every list; *Undo* below the answer brings it back"),
    Verb("paste", "paste", "A form for a whole list: each line becomes a record, after a preview"),
    Verb("import", "import", "A form for a table of records: a CSV file, or its text, after a preview"),
    Verb("standup", "standup", "Stand-ups, as with /standup; `/standup help` names its words"),
    Verb(
        "away",
        "away 24 nov - 28 nov @ben",
        "Say when you are away and who stands in; also `away until friday`, `away today`; `away` alone shows it",
    ),
    Verb("back", "back", "You are back: stand-ups and reminders go on"),
    Verb("undo", "A12 undo", "Take back the last change of a record, if it was yours"),
    Verb("undo", "undo", "Take back your last change, also after days; once more goes one further back"),
    Verb("me", "me", "Your own settings: the hour of your digest, quiet hours, and what you are not reminded of"),
    Verb("digest", "digest", "What your next digest would say, as it would look now"),
    Verb("mute", "A12 mute", "Never remind me of a record; `A12 unmute` takes it back"),
    Verb("settings", "settings", "Everything of this channel's project: people, working days, who may edit"),
    Verb("summary", "summary", "How this channel's project stands; also `summary Office move`, `summary as of 14 nov`"),
    Verb("portfolio", "portfolio", "Every project you may see, in a line each, the worst first; also `as of 14 nov`"),
    Verb("projects", "projects", "The projects you may see; `projects archived` those that are closed"),
    Verb("project", "project new Office move", "Make a project, with a template if you like"),
    Verb("archive", "project archive", "Close this channel's project; `project restore` brings it back"),
    Verb("changes", "project history", "The last changes of the project's settings and channels"),
    Verb("bind", "bind Office move", "Make this channel belong to a project that there is; `unbind` takes it back"),
    Verb("switch", "switch Office move", "Another project for this channel; in a direct message, your current project"),
    Verb("reactions", "reactions", "What a reaction on a message saves it as; workspace admins choose the emoji"),
    Verb("help", "help", "What there is, with examples; `/steward help grammar` how a record is typed"),
)


# Words after a reference that are no step of its kind: what they do, and whether that stores anything.
ABOUT_RECORD: Mapping[str, tuple[Callable[[Request, Deps, Kind, int], Awaitable[Reply]], bool]] = {
    "show": (records.show, False),
    "edit": (records.edit, False),
    "history": (records.history, False),
    "comment": (talk.ask, False),
    "uncomment": (talk.take_back, True),
    "reword": (talk.ask_reword, False),
    "move": (moves.ask, False),
    "watch": (watching.start, True),
    "unwatch": (watching.stop, True),
    "remove": (records.remove, True),
    "delete": (records.remove, True),
    "archive": (records.remove, True),
    "undo": (undo.record_typed, True),
    "mute": (digest.mute_typed, True),
    "unmute": (digest.unmute_typed, True),
}

# Words after a reference with what they say behind them.
SAYING: Mapping[str, Callable[[Request, Deps, Kind, int, str], Awaitable[Reply]]] = {
    "comment": talk.typed,
    "note": talk.typed,
    "says": talk.typed,
    "move": moves.typed,
}

# Words that stand alone, and mostly open a form.
ALONE: Mapping[str, Run] = {
    "settings": projects.settings_here,
    "paste": many.open_paste,
    "import": tables.open_import,
    "reactions": reactions.settings,
    "me": me.asked,
    "digest": digest.preview,
    "escalations": escalations.listed,
}

# Words that tell how projects stand, with what may follow them.
REPORTS: Mapping[str, Callable[[Request, Deps, str], Awaitable[Reply]]] = {
    "summary": summary.show,
    "portfolio": summary.portfolio,
}

BUTTON_MAX = 2_000  # what Slack lets a button carry
NO_PART = "-"
ONE_AT_A_TIME = (
    "After a reference comes what to do with that one record, as in `/steward A12 done`. *Select…* below a list, as "
    "`/steward list` shows it, changes several at once."
)
# What people type who want to log something, or the form of a record.
OF_LOGGING = ("add", "new", "create", "log", "todo", "task")
OF_FORM = ("title", "rename", "details", "description", "text")
BECAME_A_TITLE = "What you typed became a title."


async def _switch(request: Request, deps: Deps, name: str) -> Reply:
    """In a channel, which project it belongs to; in a direct message, which one the person is at."""
    if request.channel is None:
        return await project_life.switch(request, deps, name)
    return await channels.bind(request, deps, name, may_take=True)


OfProject = tuple[Callable[[Request, Deps, str], Awaitable[Reply]], bool]

# What is done to a channel with a project's name: what does it, and whether that stores anything.
OF_CHANNELS: Mapping[str, OfProject] = {
    "bind": (channels.bind, True),
    "unbind": (channels.unbind, True),
    "switch": (_switch, True),
}

# The same after the word `project`.
OF_PROJECTS: Mapping[str, OfProject] = {
    "new": (project_life.new, False),
    "archive": (project_life.archive, False),
    "history": (project_life.history, False),
    "restore": (project_life.restore, True),
    **OF_CHANNELS,
}

# What somebody types who looks for words.
FINDS = ("find", "search")

# Lists with a name of their own, and what each means as filters.
LISTS: Mapping[str, str] = {
    "list": "",
    "my": "mine helping everywhere",
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
    return _command(name).read(text.strip())


def _command(name: str) -> Command:
    """The command of that name; a workspace may have installed it with a prefix, as in /acme-action."""
    return next((c for c in COMMANDS if name == c.name or name.endswith(f"-{c.name[1:]}")), COMMANDS[-1])


def _parse_kind(kind: Kind, text: str) -> Parsed:
    """After a kind's command only the whole text is a verb, or a list with its filters: other words are a title."""
    if not text:
        return Parsed(lambda request, deps: records.open_form(request, deps, kind))
    if text.lower() == "help":
        return Parsed(lambda request, deps: _help(kind))
    if of_kind := _list_of(kind, text):
        return of_kind
    if about_record := _about_record(text, strict=True):
        return about_record
    hints = _if_a_record_was_meant(text) or _if_a_command_was_meant(kind, text)
    return Parsed(lambda request, deps: records.log_words(request, deps, kind, text, hints), writes=True)


def _if_a_record_was_meant(text: str) -> tuple[str, ...]:
    """What to say when a title reads like a step with a remark, as in "A12 done, sent by mail"."""
    reference, rest = _first_word(text)
    found = read_reference(reference)
    step = found and found[0].step_named(_first_word(rest)[0].lower().rstrip(",.:;"))
    if found is None:
        return ()
    meant = f"{found[0].letter}{found[1]}"
    if rest.startswith(("<@", "@", "!", "#", "-")) or _first_word(rest)[0].lower() in ("by", "due", "no", "comment"):
        return (f"If you meant {meant} itself, type `/steward {meant}` and the same words. {BECAME_A_TITLE}",)
    if step is None:
        return ()
    return (f"If you meant {meant} itself, type `/steward {meant} {step.key}` and your remark. {BECAME_A_TITLE}",)


def _if_a_command_was_meant(kind: Kind, text: str) -> tuple[str, ...]:
    """What to say when a title is nothing but a command's word or nearly one."""
    word = text.lower()
    also = {"list": kind.plural, "help": f"help {kind.plural}"}
    examples = {verb.word: verb.example for verb in VERBS if kind_named(verb.word) is None} | also
    near = word if word in examples else _nearest(word, also, at_least=0.8)
    return (f"Did you mean `/steward {esc(examples[near])}`? {BECAME_A_TITLE}",) if near else ()


def _nearest(word: str, known: Iterable[str], *, at_least: float = 0.75) -> str:
    """The known word that was likely meant: the one with the same letters in another order, else the most alike.

    None where only other words are alike: somebody who types `budget` does not mean `digest`.
    """
    words = list(known)
    turned = next((each for each in words if sorted(each) == sorted(word)), "")
    return turned or next(iter(get_close_matches(word, words, n=1, cutoff=at_least)), "")


def _parse_steward(text: str) -> Parsed:
    if lines := several(text):
        return Parsed(lambda request, deps: records.log_several(request, deps, lines), writes=True)
    word, rest = _first_word(text)
    word = word.lower()
    if not word or word == "help":
        return Parsed(lambda request, deps: _help(kind_named(rest) if rest else None, topic=rest.lower()))
    if word in LISTS:
        return _parse_list(word, rest)
    if word in FINDS:
        return _parse_find(word, rest)
    if kind := kind_named(word.removesuffix(":")):
        return _parse_kind_word(kind, rest)
    if word in ALONE and not rest:
        return Parsed(ALONE[word])
    if word == "standup":
        return _parse_standup(rest)
    if known := REPORTS.get(word):
        return Parsed(lambda request, deps: known(request, deps, rest))
    if word == "away":
        return Parsed(lambda request, deps: away.typed(request, deps, rest), writes=bool(rest))
    if word == "back" and not rest:
        return Parsed(away.back, writes=True)
    if word == "undo" and not rest:
        return Parsed(undo.last_typed, writes=True)
    if about_projects := _about_projects(word, rest):
        return about_projects
    reference, remark = _first_word(rest)
    if read_reference(reference):
        if read_reference(word.rstrip(",;")):
            raise NotFound(ONE_AT_A_TIME)
        text = f"{reference} {word} {remark}"
    if about_record := _about_record(text, strict=False):
        return about_record
    if word in OF_LOGGING and (kind := kind_named(reference.removesuffix(":"))):
        raise NotFound(_hint(word, {word: f"{kind.key} {remark or '…'}".replace("`", "'")}))
    raise NotFound(_hint(text, _examples()))


def _examples() -> dict[str, str]:
    """Every word that means something, with an example of it to be typed after `/steward`."""
    steps = [(kind, step, f"{kind.letter}12") for kind in reversed(KINDS) for step in kind.steps]
    examples = {word: kind.typed(step, each) for kind, step, each in steps for word in (step.key, *step.words)}
    examples |= {each: f"A12 {each}" for each in ABOUT_RECORD} | {each: f"A12 {each} …" for each in SAYING}
    examples |= dict.fromkeys(OF_LOGGING, VERBS[0].example)
    examples |= {verb.word: verb.example for verb in VERBS} | {each: f"{each} core switch" for each in FINDS}
    return examples | {word: word for kind in KINDS for word in (kind.key, kind.plural)}


def _about_projects(word: str, rest: str) -> Parsed | None:
    """`projects`, `project new ...`, `bind ...` and the like; None for other words. Raises NotFound with a hint."""
    if word in ("project", "projects") and rest.lower() in ("", "archived"):
        return Parsed(lambda request, deps: project_life.show_list(request, deps, archived=bool(rest)))
    known, name = OF_CHANNELS.get(word), rest
    if word == "project":
        said, name = _first_word(rest)
        known = OF_PROJECTS.get(said.lower())
        if known is None:
            also = {"settings": "settings", "rename": "settings", "delete": "project archive"}
            raise NotFound(_hint(said, {each: f"project {each}" for each in OF_PROJECTS} | also, "projects"))
    if known is None:
        return None
    run, writes = known
    return Parsed(lambda request, deps: run(request, deps, " ".join(decoded(name).split())), writes=writes)


_BULLET = re.compile(r"\s*(?:[-*•◦–]|\d{1,3}[.)])\s+")


def several(text: str) -> list[tuple[Kind, str]]:
    """The records of a text that holds one on each line; none where it is one record, whose further lines are details.

    It holds several where each line begins with a kind's word, or where the first line is a heading: nothing but a
    kind's word in the plural or with a colon ("risks", "risk:"). Bullets and numbers before a line do not count.
    """
    lines = [_BULLET.sub("", line, count=1).strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return []
    heading = lines[0].lower()
    kind = kind_named(heading.removesuffix(":"))
    if kind and (heading.endswith(":") or heading == kind.plural):
        return [(kind, line) for line in lines[1:]]
    words = [_first_word(line) for line in lines]
    found = [(kind, rest) for word, rest in words if rest and (kind := kind_named(word.removesuffix(":")))]
    return found if len(found) == len(lines) else []


def _parse_kind_word(kind: Kind, rest: str) -> Parsed:
    """`risk` opens the form, `risk ...` logs one."""
    if rest:
        return Parsed(lambda request, deps: records.log_words(request, deps, kind, rest), writes=True)
    return Parsed(lambda request, deps: records.open_form(request, deps, kind))


def _parse_standup(text: str) -> Parsed:
    """After `/standup`: nothing, or one of its words. Raises NotFound."""
    word = text.lower()
    if not word:
        return Parsed(standups.here)
    if word == "help":
        return Parsed(lambda request, deps: _help(None, topic="standup"))
    if known := standups.WORDS.get(word):
        return Parsed(known.run)
    near = _nearest(word, standups.WORDS)
    meant = f"Did you mean `/standup {near}`?" if near else "`/standup help` shows what there is."
    raise NotFound(f"I do not know “{cut(' '.join(decoded(text).split()), 60)}”. {meant}")


def _parse_list(name: str, rest: str) -> Parsed:
    """A list by its name with the filters typed after it. Raises NotFound, with the nearest filter, for other words."""
    typed = pieces_with_channels(rest)
    try:
        read_filters(typed)
        filters = read_filters([LISTS[name], " ", *typed])
    except UnknownFilter as unknown:
        raise NotFound(_filter_hint(name, unknown)) from unknown
    return Parsed(lambda request, deps: lists.show(request, deps, filters))


def _list_of(kind: Kind, text: str) -> Parsed | None:
    """The kind's list with the filters typed after `list`, and how to log that as a title; None for anything else."""
    word, rest = _first_word(text)
    typed = pieces_with_channels(rest)
    if word.lower() != "list":
        return None
    try:
        read_filters(typed)
        filters = read_filters([kind.plural, " ", *typed])
    except UnknownFilter:
        return None
    title = as_text(pieces_with_channels(text)).replace("`", "'")
    also = f"To log that as a title, type `/steward {kind.key} {esc(title)}`." if rest else ""
    return Parsed(lambda request, deps: lists.show(request, deps, filters, also))


def _parse_find(name: str, rest: str) -> Parsed:
    """A search for the words typed after it. Raises NotFound for a score of kinds that have none."""
    try:
        search = read_search(pieces_with_channels(rest))
    except UnknownFilter as unknown:
        raise NotFound(_filter_hint(name, unknown)) from unknown
    return Parsed(lambda request, deps: finding.find(request, deps, search))


def _filter_hint(name: str, unknown: UnknownFilter) -> str:
    """What to type instead of a word that is no filter."""
    refused = f"I do not know “{cut(unknown.word, 60)}” in a list."
    if unknown.word.lower() == "due":
        return f"{refused} After `due` comes `today` or `this week`; `overdue` and `no date` stand alone."
    if unknown.nearest:
        meant = cut(as_text(unknown.line), 300).replace("`", "'")
        return f"{refused} Did you mean `/steward {name} {meant}`?"
    kind = next((kind for kind in KINDS if name == kind.plural), None)
    other = f" To log a new one, type `/steward {kind.key}` and your words." if kind else ""
    return (
        f'{refused} Words of a title go in quotes, as in `/steward list "switch"`; '
        f"`/steward help list` shows what there is.{other}"
    )


def _about_record(text: str, *, strict: bool) -> Parsed | None:
    """`A12`, or `A12` with a word. With `strict` an unknown word makes it a title (None), otherwise a hint."""
    word, rest = _first_word(text)
    found = read_reference(word if strict else word.strip("#.,:;?!"))
    if found is None:
        return None
    kind, number = found
    said, remark = _first_word(rest)
    said = said.lower() or "show"
    if said in ABOUT_RECORD and not remark:
        run, writes = ABOUT_RECORD[said]
        return Parsed(lambda request, deps: run(request, deps, kind, number), writes=writes)
    if (saying := SAYING.get(said)) and remark and not strict:
        return Parsed(lambda request, deps: saying(request, deps, kind, number, remark), writes=True)
    step, why = kind.step_at_start(rest)
    if step and (not why or not strict):
        remark_read = decoded(why)
        return Parsed(
            lambda request, deps: records.step_typed(request, deps, kind, number, step, remark_read), writes=True
        )
    if not remark and (follow_up := kind.follow_up_named(said)):
        return Parsed(lambda request, deps: records.follow(request, deps, kind, number, follow_up))
    if strict:
        return None
    if linking := _linking(found, rest):
        return linking
    words = [*(w for step in kind.steps for w in (step.key, *step.words)), *ABOUT_RECORD, *SAYING]
    known = {each: each for each in (*words, *(each.key for each in kind.follow_ups))}
    known |= {_first_word(said)[0]: f"{said} A13" for said in (*kinds_words(), "unlink")}
    known |= dict.fromkeys(OF_FORM, "edit")
    known |= dict.fromkeys(("repeat", "repeats"), "every monday") if kind.repeats_by else {}
    meant = {each: f"{word} {said}" for each, said in known.items()}
    hint = _hint(rest, meant, f"help {kind.plural}", is_example=False)
    return Parsed(lambda request, deps: edits.typed(request, deps, kind, number, rest, otherwise=hint), writes=True)


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
    if topic == "grammar":
        return Tell(help_views.grammar_help())
    if topic in FINDS:
        return Tell(help_views.find_help())
    if topic in ("away", "back"):
        return Tell(help_views.away_help())
    if topic == "standup":
        return Tell(
            help_views.standup_help([(f"/standup {word}", each.summary) for word, each in standups.WORDS.items()])
        )
    if topic in LISTS and kind is None:
        return Tell(help_views.list_help())
    if topic in ("escalation", "escalations"):
        return Tell(help_views.escalations_help())
    if topic == "admin":
        return Tell(help_views.admin_help())
    if kind is not None:
        return Tell(help_views.kind_help(kind))
    rows = [(command.name, command.summary) for command in COMMANDS]
    return Tell(help_views.all_help(rows, [(v.word, f"/steward {v.example}", v.summary) for v in VERBS]))


def _hint(typed: str, known: Mapping[str, str], help_words: str = "help", *, is_example: bool = True) -> str:
    """A refusal with the known word nearest to the first typed one; each is given with what to type.

    A reference in that is the record's own, unless it `is_example`, which may well be a record of somebody's.
    """
    near = _nearest(_first_word(typed)[0].lower(), known)
    suggestion = f"`/steward {help_words}` shows what there is."
    if near:
        suggestion = f"Did you mean `/steward {known[near]}`?"
        example = _first_word(known[near])[0]
        if is_example and read_reference(example):
            suggestion += f" {example} stands for the record's own reference."
    return f"I do not know “{cut(' '.join(decoded(typed).split()), 60)}”. {suggestion}"


async def typed_pressed(request: Request, deps: Deps) -> Reply:
    """What was written to Steward in a message, once more, now that a form can be opened for it."""
    *where, words = [*request.value.split(" ", 3), "", "", "", ""][:4]
    ts, thread_ts, link = ("" if part == NO_PART else part for part in where)
    source = Source(link, request.channel_id, ts, thread_ts)
    parsed = parse("/steward", words)
    return await parsed.run(replace(request, text=words, source=source), deps)


def for_button(source: Source | None, words: str) -> str:
    """What the button carries that opens a form for words in a message; of a long text its beginning.

    Nothing is lost by that: the message stands where it was written.
    """
    parts = (source.ts, source.thread_ts, source.link) if source else ("", "", "")
    whole = " ".join([*(part or NO_PART for part in parts), words])
    return whole if len(whole) <= BUTTON_MAX else whole[:BUTTON_MAX].rpartition(" ")[0]


async def help_pressed(request: Request, deps: Deps) -> Reply:
    """Help on what there is, or for workspace admins on what only they can do."""
    return await _help(None, topic=request.value)
