"""The weekly summary and the portfolio: a first screen that is read in a minute, and lists for those who want them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from models.clock import zone_or_utc
from models.kinds.risk import band
from models.recurrences import Occurrence
from models.summaries import HEADLINE_MAX, WEEK, Frame, Period
from models.tables import Channel, Person, Project
from reports.portfolio import PortfolioLine, PortfolioPage
from reports.summary import LISTS, Line, Numbers, Participation, Summary, judged, last_day_of
from reports.weekly import Weekly
from views.blocks import (
    Block,
    Message,
    actions,
    bullets,
    button,
    cut,
    esc,
    header,
    input_block,
    mrkdwn,
    note,
    plain,
    rich,
    section,
)
from views.forms import FormContext
from views.values import People, day, name_of, zone_time

TITLE_SHOWN: Final = 90

Runs = list[str | tuple[str, str]]


def summary(told: Summary, frame: Frame, people: People, *, notes: Sequence[str] = ()) -> Message:
    """The first screen: how the project stands and what changed, each number against the time before."""
    blocks = [header(f"{cut(told.project.name, TITLE_SHOWN)}, week to {day(told.last_day)}"), rich(*_colour(told))]
    if frame.headline:
        blocks.append(rich((frame.headline, "italic"), f"  ({name_of(people, frame.by)})"))
    blocks.append(_screen(told))
    blocks += [note(plain(each)) for each in [_gap(frame), *notes, in_words(told.project, told.period)] if each]
    counted = f"{told.now.done:,} done, {told.now.overdue:,} overdue, {told.now.due_next:,} due in the next 7 days"
    return Message(esc(f"{told.project.name}: {judged(told.now).colour.value}. {counted}"), blocks)


def _colour(told: Summary) -> Runs:
    """`🔴 Red (amber last week): 1 critical risk open`."""
    now, was = judged(told.now), judged(told.before).colour
    change = f" (as {_before(told)})" if was is now.colour else f" ({was.value.split()[1].lower()} {_before(told)})"
    return [(now.colour.value, "bold"), "" if told.before.is_empty else change, f": {', '.join(now.reasons)}"]


def _screen(told: Summary) -> Block:
    said = (_progress, _due_soon, _overdue, _risks, _issues, _decisions, _standups)
    lines = [line for line in (say(told) for say in said) if line]
    if not lines:
        return section(plain("Nothing was done, nothing is due, nothing is overdue."))
    return rich(*(run for number, line in enumerate(lines) for run in (["\n", *line] if number else line)))


def _progress(told: Summary) -> Runs:
    now, before = told.now, told.before
    if not any((now.done, before.done, now.started, before.started, now.raised, before.raised)):
        return []
    last = f"{before.done:,} {_before(told)}"
    return [
        ("Done", "bold"),
        f" {now.done:,} ({last})  ·  started {now.started:,} ({before.started:,})"
        f"  ·  logged {now.raised:,} ({before.raised:,})",
    ]


def _due_soon(told: Summary) -> Runs:
    now = told.now
    said = [f"{now.due_next:,} in the next 7 days"] if now.due_next else []
    said += [f"{now.slipped:,} slipped to a later day ({told.before.slipped:,})"] if now.slipped else []
    return [("Due", "bold"), " " + "  ·  ".join(said)] if said else []


def _overdue(told: Summary) -> Runs:
    now = told.now
    return [("Overdue", "bold"), f" {now.overdue:,} ({told.before.overdue:,}){_ages(now)}"] if now.overdue else []


def _ages(now: Numbers) -> str:
    """How old what is overdue is: `, 3 up to a week, 1 up to two weeks, 1 longer`."""
    ages = (
        (now.overdue - now.overdue_over_a_week, "up to a week"),
        (now.overdue_over_a_week - now.overdue_over_two_weeks, "up to two weeks"),
        (now.overdue_over_two_weeks, "longer"),
    )
    return ": " + ", ".join(f"{number:,} {word}" for number, word in ages if number)


def _risks(told: Summary) -> Runs:
    if not told.now.risks:
        return []
    new = f", {told.now.new_risks:,} new" if told.now.new_risks else ""
    highest = [line for line in told.lists.get("risks", ()) if line.score]
    said = f"  ·  highest {_titled(highest[0])}, {movement(highest[0])}" if highest else ""
    return [("Risks", "bold"), f" {told.now.risks:,} open ({told.before.risks:,}){new}{said}"]


def _issues(told: Summary) -> Runs:
    if not told.now.issues and not told.before.issues:
        return []
    said = ((told.now.new_issues, "new"), (told.now.critical_issues, "critical"), (told.now.major_issues, "major"))
    rest = "".join(f", {number:,} {word}" for number, word in said if number)
    return [("Issues", "bold"), f" {told.now.issues:,} open ({told.before.issues:,}){rest}"]


def _decisions(told: Summary) -> Runs:
    now = told.now
    made = [f"{now.decisions_made:,} made ({told.before.decisions_made:,})"] if now.decisions_made else []
    first = next((line for line in told.lists.get("decisions_needed", ()) if line.due), None)
    when = f", {_titled(first)} by {short(first.due)}{_how_late(first, told)}" if first and first.due else ""
    needed = [f"{now.decisions_needed:,} needed{when}"] if now.decisions_needed else []
    return [("Decisions", "bold"), " " + "  ·  ".join([*made, *needed])] if made or needed else []


def _standups(told: Summary) -> Runs:
    if not told.participation.asked:
        return []
    before = told.participation_before
    last = f" ({before.percent} % {_before(told)})" if before.asked else ""
    return [("Stand-ups", "bold"), f" {_share(told.participation)}{last}"]


def _share(part: Participation) -> str:
    return f"{part.percent} % answered, {part.answered:,} of {part.asked:,}"


def movement(line: Line) -> str:
    """`score 16 of 25, critical, ↑ up from 12`."""
    said = f"score {line.score} of 25, {band(line.score or 1).lower()}"
    if line.is_new:
        return f"{said}, new"
    if line.score_before is None:
        return f"{said}, newly assessed"
    if line.score_before == line.score:
        return f"{said}, → as before"
    rose = (line.score or 0) > line.score_before
    return f"{said}, {'↑ up' if rose else '↓ down'} from {line.score_before}"


def _gap(frame: Frame) -> str:
    if not frame.missed:
        return ""
    days = ", ".join(day(each) for each in frame.missed)
    last = frame.missed[-1]
    return f"None was posted on {days}. What it would have said: /steward summary as of {last}"


def in_words(project: Project, period: Period) -> str:
    """`Fri 14 Nov, 15:00 to Fri 21 Nov 2031, 15:00 Berlin time`; whole days without hours."""
    zone = zone_or_utc(project.timezone)
    begin, end = period.begin.astimezone(zone), period.end.astimezone(zone)
    if begin.time() == end.time() == datetime.min.time():
        return f"{short(begin.date())} to {day(last_day_of(project, period.end))}, {zone_time(project.timezone)}"
    return f"{short(begin.date())}, {begin:%H:%M} to {day(end.date())}, {end:%H:%M} {zone_time(project.timezone)}"


def short(value: date | None) -> str:
    """`Fri 14 Nov`."""
    return f"{value:%a} {value.day} {value:%b}" if value else ""


def _before(told: Summary) -> str:
    return "last week" if told.period.end - told.period.begin < 1.5 * WEEK else "before"


# The lists ----------------------------------------------------------------------------------------------------------


def details(told: Summary) -> Message:
    """The records behind the numbers, the first of each sort."""
    blocks: list[Block] = []
    for name in LISTS:
        lines, number = told.lists.get(name, ()), getattr(told.now, name)
        if lines:
            title, words = _LISTED[name]
            blocks.append(rich((f"{title}: {number:,}", "bold")))
            blocks.append(bullets([(line.item.reference, _listed(line, words(line, told))) for line in lines]))
            blocks += [note(plain(f"and {number - len(lines):,} more"))] if number > len(lines) else []
    how = "`/steward A12` shows a record, `/steward list` with filters all of them."
    blocks.append(note(plain(in_words(told.project, told.period)), mrkdwn(how)))
    return Message(esc(f"{told.project.name}: the records behind the numbers"), blocks)


def has_details(told: Summary) -> bool:
    return any(told.lists.get(name) for name in LISTS)


def _listed(line: Line, words: str) -> str:
    title = cut(line.item.record.title, TITLE_SHOWN)
    return f"{title}: {words}" if words else title


def _titled(line: Line) -> str:
    return f"{line.item.reference} {cut(line.item.record.title, TITLE_SHOWN)}"


def _nothing(line: Line, told: Summary) -> str:
    return ""


def _slipped(line: Line, told: Summary) -> str:
    first = line.item.record.first_due_date
    promised = f", first promised {short(first)}" if first else ""
    return f"{short(line.due_before)} → {short(line.due)}{promised}"


def _due(line: Line, told: Summary) -> str:
    return f"due {short(line.due)}"


def _late(line: Line, told: Summary) -> str:
    return f"due {short(line.due)}{_how_late(line, told)}"


def _how_late(line: Line, told: Summary) -> str:
    """`, 6 days late`; empty for what is not."""
    days = (told.last_day - line.due).days if line.due else 0
    return f", {days} {'day' if days == 1 else 'days'} late" if days > 0 else ""


def _scored(line: Line, told: Summary) -> str:
    return movement(line) if line.score else "not assessed yet"


def _severe(line: Line, told: Summary) -> str:
    severity = line.item.value("severity")
    said = [f"severity {severity.label.lower()}" if severity else "", "new" if line.is_new else ""]
    return ", ".join(filter(None, said))


def _needed(line: Line, told: Summary) -> str:
    return f"needed by {short(line.due)}{_how_late(line, told)}" if line.due else "no date"


_LISTED: Mapping[str, tuple[str, Callable[[Line, Summary], str]]] = {
    "done": ("Done", _nothing),
    "started": ("Started", _nothing),
    "slipped": ("Slipped to a later day", _slipped),
    "due_next": ("Due in the next 7 days", _due),
    "overdue": ("Overdue", _late),
    "risks": ("Open risks, the highest first", _scored),
    "issues": ("Open issues, the worst first", _severe),
    "decisions_made": ("Decisions made", _nothing),
    "decisions_needed": ("Decisions needed", _needed),
}


# To one person ------------------------------------------------------------------------------------------------------


def looked_at(
    told: Summary, frame: Frame, people: People, *, slot: Occurrence | None, is_present: bool, leads: bool
) -> Message:
    """The summary for whoever asked, with what they may do about it. `slot` is the next one that is posted, if any."""
    if told.now.is_empty and not frame.headline:
        words = f"Nothing to tell of {told.project.name}: nothing is open, and nothing happened."
        return Message(esc(words), [section(plain(words)), note(plain(in_words(told.project, told.period)))])
    words = "Only you see this."
    if is_present:
        words += f" {_comes(told.project, slot, frame)}"
    value = _value(told)
    offered = [button("Details", "summary:details", value)] if has_details(told) else []
    if leads:
        offered.append(button("Post it now", "summary:post", value, says=f"Post the summary of {told.project.name}"))
    if leads and slot is not None:
        offered.append(_headline_button(told.project, slot, frame))
    message = summary(told, frame, people)
    return Message(message.text, [*message.blocks, note(plain(words)), *([actions(offered)] if offered else [])])


def _comes(project: Project, slot: Occurrence | None, frame: Frame) -> str:
    if slot is None:
        return "None is posted by itself; the project's settings can change that."
    when = at_in_words(project, slot)
    return f"The one of {when} is left out." if frame.is_skipped else f"The channel gets it on {when}."


def _headline_button(project: Project, slot: Occurrence, frame: Frame) -> Block:
    label = "Change the headline" if frame.headline else "Add a headline"
    return button(label, "summary:headline", f"{project.id} {slot.day}", says=f"{label} of {project.name}")


def _value(told: Summary) -> str:
    return f"{told.project.id} {told.period.end.isoformat()}"


def posted(found: Weekly) -> Message:
    """The summary as the channel reads it."""
    limits = "Only what was logged in this channel is counted, since guests or other companies read along."
    return summary(found.told, found.frame, found.people, notes=[limits] if found.is_limited else [])


LEFT_TO_OTHERS = "Its sponsor or a workspace admin can add a headline or leave it out."


def preview(found: Weekly, slot: Occurrence, *, for_deputy_of: Person | None = None) -> Message:
    """For the coordinator, before it is posted: as it would look now, and what can still be done.

    Their deputy sees the same, and leaves what can be done to whoever may.
    """
    project, frame = found.told.project, found.frame
    where = f"#{found.channel.name}" if found.channel else "its channel"
    when = at_in_words(project, slot)
    value = f"{project.id} {slot.day}"
    skip = button("Skip this week", "summary:skip", value, says=f"Leave out the summary of {project.name}")
    body = posted(found).blocks
    if frame.is_skipped:
        text, body = f"The weekly summary of {project.name} on {when} is left out.", []
        skip = button("Post it after all", "summary:unskip", value)
    elif found.is_empty:
        text, body = f"The weekly summary of {project.name} on {when} has nothing to say, so none is posted.", []
    else:
        text = f"The weekly summary of {project.name} goes to {where} on {when}. As it would look now:"
    offered = [
        _headline_button(project, slot, frame),
        skip,
        button("Settings", "settings", str(project.id), says=f"Settings of {project.name}"),
    ]
    warned = [section(plain(f"⚠️ {hint}")) for hint in _hints(found.channel)]
    if for_deputy_of is not None:
        says = f"{for_deputy_of.shown_name}, who coordinates it, is away, and you stand in. {LEFT_TO_OTHERS}"
        return Message(esc(text), [section(plain(text)), note(plain(says)), *warned, *body])
    return Message(esc(text), [section(plain(text)), *warned, *body, actions(offered)])


def _hints(channel: Channel | None) -> list[str]:
    """What keeps it from being posted, and what to do about that."""
    if channel is None or channel.is_out_of_reach:
        where = f"#{channel.name}" if channel else "its channel"
        return [f"I am not in {where}, so I cannot post there. Type /invite @Steward in it."]
    if channel.is_archived:
        return [f"#{channel.name} is archived: nothing can be posted there until it is open again."]
    return []


def at_in_words(project: Project, slot: Occurrence) -> str:
    """`Fri 21 Nov 2031, 15:00 Berlin time`."""
    local = slot.at.astimezone(zone_or_utc(project.timezone))
    return f"{day(slot.day)}, {local:%H:%M} {zone_time(project.timezone)}"


def headline_form(project: Project, slot: Occurrence, headline: str, context: FormContext) -> Block:
    """The form of the line above the numbers."""
    element: Block = {"type": "plain_text_input", "multiline": True, "max_length": HEADLINE_MAX, "focus_on_load": True}
    element |= {"initial_value": headline} if headline else {}
    hint = "Shown above the numbers with your name, in this one summary. Leave it empty for none."
    return {
        "type": "modal",
        "callback_id": "summary_headline",
        "title": plain("Headline"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [
            note(plain(f"{project.name}, {at_in_words(project, slot)}")),
            input_block("headline", "What should be read first", element, hint, optional=True),
        ],
    }


def owed(project: Project, channel: Channel | None) -> Message:
    """After *Post it now*."""
    where = f"#{channel.name}" if channel else "its channel"
    text = f"The summary of {project.name} is on its way to {where}."
    return Message(esc(text), [section(plain(text))])


def trouble(project: Project, sentence: str, value: str) -> Message:
    """For the coordinator: what became of a summary that was to be posted; `sentence` is mrkdwn."""
    text = f"The weekly summary of {esc(project.name)} {sentence}"
    return Message(text, [section(mrkdwn(text)), actions([button("Post it again", "summary:again", value)])])


# The portfolio ------------------------------------------------------------------------------------------------------


def portfolio(page: PortfolioPage, *, zone: str) -> Message:
    """One entry a project, the worst first."""
    title = f"Your projects: {page.total:,}"
    counts = "  ·  ".join(f"{colour.value} {number:,}" for colour, number in page.colours.items() if number)
    blocks = [header(title)]
    if not page.lines:
        blocks.append(section(mrkdwn("There is no project yet that you can see. `/steward project new` makes one.")))
        return Message(title, blocks)
    blocks += [section(plain(counts))] if page.total > 1 else []
    for line in page.lines:
        value, says = f"{line.project.id} {page.asked}", f"Summary of {line.project.name}"
        blocks.append(section(mrkdwn(_project(line)), button("Summary", "summary:show", value, says=says)))
    local = page.period.end.astimezone(zone_or_utc(zone))
    blocks.append(
        note(plain(f"As of {day(local.date())}, {local:%H:%M} {zone_time(zone)}; done is of the 7 days before."))
    )
    turns = [button("Previous", "portfolio:previous", f"{page.number - 1} {page.asked}")] if page.number else []
    turns += [] if page.is_last else [button("Next", "portfolio:next", f"{page.number + 1} {page.asked}")]
    blocks += [actions(turns)] if turns else []
    return Message(esc(f"{title}. {counts}"), blocks)


def _project(line: PortfolioLine) -> str:
    """A project in three lines of mrkdwn: its colour and name, why, and what is in it."""
    now = line.numbers
    facts = [f"{now.done:,} done", f"{now.overdue:,} overdue", f"{now.open:,} open"]
    if line.top_risk and line.top_risk.score:
        facts.append(f"top risk {_titled(line.top_risk)} ({line.top_risk.score} of 25)")
    if line.next_due:
        facts.append(f"next due {_titled(line.next_due)}, {short(line.next_due.due)}")
    why, what = ", ".join(line.judgement.reasons), "  ·  ".join(facts)
    return f"{line.judgement.colour.value}  *{esc(line.project.name)}*\n{why}\n{esc(what)}"
