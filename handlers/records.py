"""Logging, showing, editing and moving a record: the same operations behind commands, forms and buttons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers.replies import OpenForm, Redraw, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from handlers.slack_text import named_pieces
from models import (
    batches,
    comments,
    directory,
    duplicates,
    escalations,
    links,
    operations,
    projects,
    repeating,
    watching,
)
from models.capturing import is_untitled
from models.clock import zone_or_utc
from models.dates import date_order, is_order_certain, other_way
from models.entry import Edits, Entry, parse_entry, with_owner_outside
from models.errors import InvalidFields, NotAllowed, NotFound
from models.kinds import Item, Kind, kind_named, read_reference
from models.kinds.base import FieldType, FollowUp, Step
from models.labels import Labelled, LinkType, Priority
from models.operations import REMARK, TITLE_MAX
from models.own_fields import kind_in
from models.permissions import Right, Standing, may, require
from models.repeating import with_first_day
from models.tables import Channel, History, Project, Record
from models.typed import read_typed
from models.words import is_seen
from models.working_days import working_days_of
from reports.around import around
from reports.work import items_of
from views import cards, forms, several
from views.blocks import Message, cut, esc, plain, section
from views.cards import HistoryLine
from views.escalations import ASKED, asking
from views.escalations import people_of as people_asked
from views.forms import FormContext
from views.values import day, name_of, shown_value, zone_time

# What one private confirmation can name, and Slack take as cards in a moment.
MOST_AT_ONCE = 20
# What to type in place of a word that looks like a part of a record and is none, by the field that it would set.
PRIORITIES = f"Priorities are {', '.join(f'`!{each}`' for each in Priority)}."
INSTEAD = {
    "priority": PRIORITIES,
    "owner_id": "At the beginning or the end a name is the owner's.",
    "helpers": "One name is the owner's; `/steward A12 helper @name` names who helps.",
}
SCALE_RUNS = "It runs from 1 to 5, as in `{}4`."


async def log_words(request: Request, deps: Deps, kind: Kind, text: str, about_words: Sequence[str] = ()) -> Reply:
    """Store what was typed after a command as a record; ask in a form for what cannot be known.

    `about_words` are sentences for the confirmation.
    """
    entry = await _read_entry(request, deps, kind, text)
    values, hints = _from_entry(kind, entry)
    named = await _project_named(request, deps, entry)
    asks = questions(request) if named is None else ()
    if (asks and not _goes_to_current(request)) or not values["title"]:
        if "project" in asks:
            await refuse_without_projects(request, deps)
        await _guess_owner(deps.session, entry, values)
        values = with_first_day(kind, values, deps.now.astimezone(request.zone).date())
        return OpenForm(_form(request, kind, values, asks if named is None else ("project",), named))
    project, began = (named, False) if named else await project_here(request, deps)
    item, problems, alike = await _create_from(request, deps, kind, entry, values, project)
    hints += [*_about_words(entry, item), *about_words, *problems, *other_order(request, entry, item)]
    return await _logged(request, deps, item, project, began, hints, alike)


async def log_several(request: Request, deps: Deps, lines: Sequence[tuple[Kind, str]]) -> Reply:
    """Store every line as a record, or none; one confirmation names them all. Raises InvalidFields."""
    if len(lines) > MOST_AT_ONCE:
        raise InvalidFields({"title": f"That is {len(lines)} records; at most {MOST_AT_ONCE} at once, please."})
    entries = [(kind, await _read_entry(request, deps, kind, words)) for kind, words in lines]
    for number, (_, entry) in enumerate(entries, 1):
        if not entry.title:
            raise InvalidFields(
                {"title": f"Record {number} of {len(lines)} has no title, so nothing was saved. Add one."}
            )
    elsewhere = [await _project_named(request, deps, entry) for _, entry in entries]
    if questions(request) and not _goes_to_current(request) and None in elsewhere:
        raise InvalidFields({"title": "Several at once need a channel with a project. Log them there, or one by one."})
    here, began = await project_here(request, deps) if None in elsewhere else (None, False)
    batch = batches.begin(deps.session)
    rows, way_back = [], True
    for (kind, entry), named in zip(entries, elsewhere, strict=True):
        project = named or here
        assert project is not None
        values, hints = _from_entry(kind, entry)
        item, problems, alike = await _create_from(request, deps, kind, entry, values, project)
        way_back = way_back and may_take_back(request, project, [item])
        problems += other_order(request, entry, item)
        problems += [f"Looks like {kind.reference_of(each)} “{esc(each.title)}”." for each in alike]
        rows.append((item, [*hints, *_about_words(entry, item), *problems, *cards.holiday_hints(item, project)]))
    people = await directory.people(deps.session, {who for item, _ in rows for who in cards.people_of(item)})
    hints = about_place(request, here, began) if here else []
    return Tell(several.logged(rows, people, batch if way_back else None, hints), reference=rows[0][0].reference)


async def _create_from(
    request: Request, deps: Deps, kind: Kind, entry: Entry, values: dict[str, Any], project: Project
) -> tuple[Item, list[str], list[Record]]:
    """The record of what was typed without what cannot be stored, sentences about that, and records like it."""
    is_elsewhere = entry.channel_id not in (None, request.channel_id)
    if entry.due:
        here = entry.due.in_zone(zone_or_utc(project.timezone))
        values |= {"due_date": here.day, "due_time": here.time}
    hints = await _settle_owner(deps.session, entry, values, project)
    today = deps.today(project)
    values = with_first_day(kind, values, today)
    for key, sentence in operations.field_problems(kind, values, today=today).items():
        values.pop(key)
        hints.append(f"Not set: {kind.field(key).label.lower()}. {esc(sentence)}")
    # A command has no second step in which to ask: what was typed is saved, so that it is not lost when the person
    # walks away, and what looks like it is pointed out beside the way back. A form asks before it saves.
    alike = await duplicates.likely(deps.session, request.actor, project, kind, values["title"])
    item = await operations.create(
        deps.session,
        request.actor,
        kind,
        values,
        project=project,
        channel_id=entry.channel_id if is_elsewhere and entry.channel_id else _home_of(request, project),
        now=deps.now,
        via="a mention" if request.where is Where.MENTION else f"/{kind.key}",
        source=request.source,
    )
    if is_elsewhere:
        hints.append(f"It belongs to *{esc(project.name)}*; its card goes to <#{item.record.channel_id}>.")
    return item, hints, alike


async def open_form(request: Request, deps: Deps, kind: Kind) -> Reply:
    """The empty form, filled with what is known from where it was asked for."""
    asks = questions(request)
    if "project" in asks:
        await refuse_without_projects(request, deps)
    return OpenForm(_form(request, kind, {}, asks))


async def create_submitted(request: Request, deps: Deps) -> Reply:
    """Store the record typed into the form. Raises InvalidFields, whose keys are the form's block ids."""
    context = request.context
    kind = kind_named(forms.read_choice(request.state, "kind") or context.kind)
    if kind is None:
        raise NotFound("This form is from an older version of Steward. Please open it again.")
    if context.follows:
        return await _follow(request, deps, kind)
    project, channel_id, began = await place_of(request, deps)
    kind = kind_in(kind, project)
    values = forms.read_fields(kind, request.state, context)
    if not began and (pointed_out := await _pointed_out(request, deps, kind, values, project)):
        return pointed_out
    item = await operations.create(
        deps.session,
        request.actor,
        kind,
        values,
        project=project,
        channel_id=channel_id,
        now=deps.now,
        via="message" if context.source else "form",
        source=context.source,
    )
    return await _logged(request, deps, item, project, began, [])


async def place_of(request: Request, deps: Deps) -> tuple[Project, str, bool]:
    """Where a submitted form puts its records: the project, the channel of their cards, and whether it is begun now.

    Raises NotFound, NotAllowed and InvalidFields, whose keys are the form's block ids.
    """
    if "project" not in request.context.asks:
        project, began = await project_here(request, deps)
        return project, request.channel_id, began
    project = await chosen_project(request, deps)
    return project, _home_of(request, project), False


async def chosen_project(request: Request, deps: Deps) -> Project:
    """The project picked in the form. Raises NotFound, and InvalidFields where none is."""
    chosen = forms.read_choice(request.state, "project")
    if not chosen.isdigit():
        raise InvalidFields({"project": "Choose the project it belongs to."})
    return await projects.find(deps.session, request.actor, int(chosen))


async def _pointed_out(
    request: Request, deps: Deps, kind: Kind, values: Mapping[str, Any], project: Project
) -> Reply | None:
    """The form once more, with the records above it that may be the same; None where there are none, or it did so."""
    context = request.context
    if context.pointed_out:
        return None
    alike = await duplicates.likely(deps.session, request.actor, project, kind, values.get("title") or "")
    if not alike:
        return None
    people = await directory.people(deps.session, {each.owner_id for each in alike})
    said = forms.pointing_out(cards.looks_like(kind, alike, people), [kind.reference_of(each) for each in alike])
    context = replace(context, kind=kind.key, pointed_out=True)
    chosen = project if "project" in context.asks else None
    return UpdateForm(forms.record_form(kind, values, context, project=chosen, title=_title_of(context), alike=said))


async def look_pressed(request: Request, deps: Deps) -> Reply:
    """A record's card above the form that points it out, which stays as it is below."""
    shown = await show(request, deps, *referred(request.value))
    assert isinstance(shown, Tell)
    return OpenForm(forms.message_view(request.value, shown.message.blocks))


async def duplicate_pressed(request: Request, deps: Deps) -> Reply:
    """Link the record just logged to the one that it is the same as."""
    one, other = (referred(each) for each in [*request.value.split(), "", ""][:2])
    return await link(request, deps, one, LinkType.DUPLICATES, other)


async def follow(request: Request, deps: Deps, kind: Kind, number: int, follow_up: FollowUp) -> Reply:
    """The form of the record that follows from this one, filled from it."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    operations.require_follow_up(request.actor, item, project, follow_up)
    made = kind_in(links.follow_up_kind(follow_up), project)
    # What follows from a confidential record tells of it, so it begins as one.
    values = {key: item.value(key) for key in (*follow_up.copies, operations.CONFIDENTIALITY)}
    context = replace(
        edit_context(request, item), kind=made.key, reference="", version=0, follows=item.reference, step=follow_up.key
    )
    return OpenForm(forms.record_form(made, values, context, title=_title_of(context)))


async def follow_pressed(request: Request, deps: Deps) -> Reply:
    kind, number = referred(request.value)
    return await follow(request, deps, kind, number, _follow_up(kind, request.name.partition(":")[2]))


async def _follow(request: Request, deps: Deps, kind: Kind) -> Reply:
    """Store the record that follows from another, in that one's project, and link the two."""
    old_kind, number = referred(request.context.follows)
    follow_up = _follow_up(old_kind, request.context.step)
    old, project = await operations.find(deps.session, request.actor, old_kind, number)
    operations.require_follow_up(request.actor, old, project, follow_up)
    values = forms.read_fields(kind_in(kind, project), request.state, request.context)
    batches.begin(deps.session)
    item = await operations.create(
        deps.session,
        request.actor,
        kind,
        values,
        project=project,
        channel_id=old.record.channel_id,
        now=deps.now,
        via="form",
    )
    await links.follow(deps.session, request.actor, (old, project), follow_up, item, now=deps.now, via="form")
    return await _logged(request, deps, item, project, False, [follow_up.says.format(old=old.reference)])


async def link(
    request: Request, deps: Deps, one: tuple[Kind, int], type: LinkType | None, other: tuple[Kind, int]
) -> Reply:
    """Link two records, or without a type take the links between them away."""
    ends = [await operations.find(deps.session, request.actor, *each) for each in (one, other)]
    first, second = (item.reference for item, _ in ends)
    if type is None:
        await links.unmake(deps.session, request.actor, ends[0], ends[1], now=deps.now, via="command")
        said = f"{first} and {second} are no longer linked."
    else:
        await links.make(deps.session, request.actor, ends[0], type, ends[1], now=deps.now, via="command")
        word, _ = links.words_of(type, ends[0][0].record, ends[1][0].record)
        said = f"Linked: {first} {word.lower()} {second}. “{first} unlink {second}” takes it back."
    return Tell(cards.linked(said, [item for item, _ in ends]), reference=first)


async def kind_chosen(request: Request, deps: Deps) -> Reply:
    """The form for another kind, keeping what was typed; what only the old kind has a field for goes to the details."""
    old = kind_named(request.context.kind)
    kind = kind_named(request.value)
    if kind is None or old is None:
        raise NotFound("Choose one of the kinds in the list.")
    project = await _project_of_form(request, deps)
    kind, old = kind_in(kind, project), kind_in(old, project)
    values = forms.read_fields(old, request.state, request.context)
    keys = {spec.key for spec in kind.all_fields}
    homeless = [spec for spec in old.fields if spec.is_text and spec.key not in keys and values.get(spec.key)]
    lines = [f"{spec.label}: {values[spec.key]}" for spec in homeless]
    values["details"] = "\n".join(filter(None, [values.get("details"), *lines]))
    # Another version marks the inputs as new ones: Slack would keep showing the old details otherwise.
    context = replace(request.context, kind=kind.key, lengths={}, version=request.context.version + bool(lines))
    return UpdateForm(forms.record_form(kind, values, context, project=project, title="Log to Steward"))


async def more_fields_pressed(request: Request, deps: Deps) -> Reply:
    """The same form with every field of its kind, keeping what was typed."""
    context = replace(request.context, shows_all=True)
    kind = kind_named(context.kind)
    if kind is None:
        raise NotFound("This form is from an older version of Steward. Please open it again.")
    if context.reference:
        return await _edited_anew(request, deps, context)
    project = await _project_of_form(request, deps)
    kind = kind_in(kind, project)
    typed = forms.read_fields(kind, request.state, context)
    return UpdateForm(forms.record_form(kind, typed, context, project=project, title=_title_of(context)))


async def _project_of_form(request: Request, deps: Deps) -> Project | None:
    """The project that the form for a new record goes to, as far as that is known. Raises NotFound."""
    if request.context.follows:
        _, project = await operations.find(deps.session, request.actor, *referred(request.context.follows))
        return project
    if "project" not in request.context.asks:
        return request.project
    chosen = forms.read_choice(request.state, "project")
    return await projects.find(deps.session, request.actor, int(chosen)) if chosen else None


async def due_date_chosen(request: Request, deps: Deps) -> Reply:
    """The form of a record with another due date in it, which asks why where it is a later one."""
    return await _edited_anew(request, deps, request.context)


async def _edited_anew(request: Request, deps: Deps, context: FormContext) -> Reply:
    """Drawn even where saving would be refused by now: a refusal here would take the form and what is typed in it."""
    kind, number = referred(context.reference)
    item, _ = await operations.find(deps.session, request.actor, kind, number, with_archived=True)
    typed = forms.read_fields(item.kind, request.state, context)
    return UpdateForm(forms.edit_form(item, context, values=forms.stored_values(item) | typed))


async def show(request: Request, deps: Deps, kind: Kind, number: int, *, is_whole: bool = False) -> Reply:
    """The record's card, for this person only; a whole one with every button there is for them."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    people = await directory.people(deps.session, cards.people_of(item))
    is_hidden = item.record.is_archived or operations.is_confidential(item.record)
    has_card, watches = await watching.has_card_and_watches(deps.session, item, request.actor)
    card = cards.record_card(
        item,
        project,
        people,
        now=deps.now,
        offers_posting=not is_hidden and not has_card,
        watches=watches,
        around=await around(deps.session, item, seen_by=request.actor),
        reader=request.actor,
        is_whole=is_whole,
    )
    return Tell(card, reference=item.reference)


async def show_pressed(request: Request, deps: Deps) -> Reply:
    return await show(request, deps, *referred(request.value))


async def all_pressed(request: Request, deps: Deps) -> Reply:
    return await show(request, deps, *referred(request.value), is_whole=True)


async def post_card_pressed(request: Request, deps: Deps) -> Reply:
    """Owe the card once more, where Slack refused it or nobody knows whether it was posted."""
    item, _ = await operations.find(deps.session, request.actor, *referred(request.value))
    await operations.owe_card_again(deps.session, item, now=deps.now)
    text = f"The card of {item.reference} is on its way to its channel."
    return Tell(Message(text, [section(plain(text))]), reference=item.reference)


async def edit(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """The form with what is stored, a stand-in for a title left out. Raises NotAllowed before anybody types in vain."""
    item, _ = await editable(request, deps, kind, number)
    values = forms.stored_values(item)
    if item.record.is_draft and is_untitled(kind, item.record.title):
        values["title"] = ""
    return OpenForm(forms.edit_form(item, edit_context(request, item), values=values))


async def edit_pressed(request: Request, deps: Deps) -> Reply:
    return await edit(request, deps, *referred(request.value))


async def edit_submitted(request: Request, deps: Deps) -> Reply:
    """Store the changed fields; when somebody was faster, give the form back with both people's changes in it."""
    context = request.context
    item, project = await editable(request, deps, *referred(context.reference))
    values = read_typed(item.kind, forms.read_fields(item.kind, request.state, context), project)
    if item.record.version != context.version:
        return await _merged(request, deps, item, project, values)
    due_before = item.record.due_date
    await operations.change(
        deps.session,
        request.actor,
        item,
        project,
        values,
        version=context.version,
        now=deps.now,
        via="form",
        why=forms.read_choice(request.state, forms.WHY_MOVED),
    )
    hints = cards.holiday_hints(item, project) if item.record.due_date != due_before else []
    return await changed(deps, item, project, hints)


async def changed(deps: Deps, item: Item, project: Project, hints: Sequence[str] = ()) -> Reply:
    """The confirmation of a change just made: every field from what to what, with the way back."""
    people = await directory.people(deps.session, cards.people_of(item) | people_in(item.kind, item.changed))
    said, way_back = ("Changed", cards.UNDO) if item.changed else ("Nothing changed in", None)
    message = cards.saved(item, project, people, said=said, now=deps.now, hints=hints, way_back=way_back)
    return Tell(message, reference=item.reference)


async def step_typed(request: Request, deps: Deps, kind: Kind, number: int, step: Step, words: str) -> Reply:
    """The step, with what it asks for in the words after it: first the choice, then the reason or a remark."""
    choices = kind.choices_of(step)
    answer, remark = choices.at_start(words) if choices else (None, words)
    return await _take_step(request, deps, *await _found(request, deps, kind, number), step, remark, answer, "command")


async def step_submitted(request: Request, deps: Deps) -> Reply:
    """The step whose small form was filled in. Raises InvalidFields, whose keys are the form's block ids."""
    kind, number = referred(request.context.reference)
    step = _step(kind, request.context.step)
    choices = kind.choices_of(step)
    chosen = forms.read_choice(request.state, step.asks) if step.asks else ""
    answer = choices(chosen) if choices and chosen in list(choices) else None
    remark = forms.read_choice(request.state, REMARK)
    return await _take_step(request, deps, *await _found(request, deps, kind, number), step, remark, answer, "form")


async def step_pressed(request: Request, deps: Deps) -> Reply:
    """The step, or the small form for what it asks for."""
    kind, number = referred(request.value)
    step = _step(kind, request.name.partition(":")[2])
    item, project = await _found(request, deps, kind, number)
    operations.require_step(request.actor, item, project, step)
    if operations.step_problems(item, step, "", None):
        return OpenForm(forms.step_form(item, step, replace(edit_context(request, item), step=step.key)))
    return await _take_step(request, deps, item, project, step, "", None, "button")


async def _take_step(
    request: Request,
    deps: Deps,
    item: Item,
    project: Project,
    step: Step,
    remark: str,
    answer: Labelled | None,
    via: str,
) -> Reply:
    """Move the record on, and offer the way back."""
    following = await repeating.take_step(
        deps.session, request.actor, item, project, step, now=deps.now, via=via, note=remark, answer=answer
    )
    people = await directory.people(deps.session, cards.people_of(item))
    hints = [f"Your words are kept with it: “{esc(cut(remark, 200))}”."] if remark and via == "command" else []
    hints += [cards.comes_next(following, project)] if following else []
    message = cards.saved(item, project, people, said=step.past, now=deps.now, hints=hints)
    return Tell(message, redraw=await drawn_anew(request, deps, item, project), reference=item.reference)


async def remove(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """Hide the record from every list, and offer the way back: nothing is ever lost."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    await operations.archive(deps.session, request.actor, item, project, now=deps.now, via="command")
    people = await directory.people(deps.session, cards.people_of(item))
    return Tell(cards.saved(item, project, people, said="Removed", now=deps.now), reference=item.reference)


async def keep_pressed(request: Request, deps: Deps) -> Reply:
    """Make a draft a record like any other, and let the question end there."""
    item, project = await operations.find(deps.session, request.actor, *referred(request.value))
    await operations.keep_draft(deps.session, request.actor, item, project, now=deps.now, via="button")
    people = await directory.people(deps.session, cards.people_of(item))
    return Redraw(cards.saved(item, project, people, said="Kept", now=deps.now), reference=item.reference)


async def discard_pressed(request: Request, deps: Deps) -> Reply:
    """Take back a draft that was not meant, in place of the question; *Undo* brings it back."""
    removed = await remove(request, deps, *referred(request.value))
    assert isinstance(removed, Tell)
    return Redraw(removed.message, reference=removed.reference)


async def history(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """Everything that happened to the record, for this person only."""
    item, _ = await operations.find(deps.session, request.actor, kind, number)
    rows = await operations.history(deps.session, item)
    rows = operations.told(rows)
    talk = await comments.all_of(deps.session, item)
    ids = {row.actor_id for row in rows} | {each.author_id for each in talk} | people_in(item.kind, rows)
    ids |= cards.people_of(item)
    people = await directory.people(deps.session, ids)
    first, known = cards.first_values(item, rows, people), await project_names(request, deps, rows)
    lines = [
        HistoryLine(
            row.at,
            name_of(people, row.actor_id),
            cards.change_in_words(item.kind, row, people, known, first=first),
        )
        for row in rows
    ]
    lines += [cards.said(each, people) for each in talk]
    return Tell(cards.history(item, sorted(lines, key=lambda line: line.at)), reference=item.reference)


async def project_names(request: Request, deps: Deps, rows: Iterable[History]) -> Mapping[int, str]:
    """The names of the projects that moves speak of, as far as this person may know them."""
    moves = [row for row in rows if row.field == "project_id"]
    return await projects.names(
        deps.session, request.actor, {each for row in moves for each in (row.before, row.after)}
    )


def people_in(kind: Kind, rows: Iterable[History]) -> set[str | None]:
    """The people whom changed fields name, before and after."""
    persons = {field.key for field in kind.all_fields if field.type in (FieldType.PERSON, FieldType.PEOPLE)}
    values = [value for row in rows if row.field in persons for value in (row.before, row.after)]
    return {each for value in values for each in (value if isinstance(value, list) else [value]) if each}


async def history_pressed(request: Request, deps: Deps) -> Reply:
    return await history(request, deps, *referred(request.value))


async def _read_entry(request: Request, deps: Deps, kind: Kind, text: str) -> Entry:
    """What was typed of a record; a title of which nobody would see anything is none."""
    entry = parse_entry(
        await named_pieces(deps.session, text),
        now=deps.now,
        zone=request.zone,
        order=date_order(request.person.locale, request.person.timezone),
        locale=request.person.locale,
        is_working_day=working_days_of(request.project),
        scales=kind.shorthands,
        can_repeat=bool(kind.repeats_by),
    )
    return entry if is_seen(entry.title) else replace(entry, title="")


def other_order(request: Request, read: Entry | Edits, item: Item) -> list[str]:
    """A sentence about a date typed as two numbers, where nobody can know which of them its author writes first."""
    person = request.person
    if read.due is None or is_order_certain(person.locale, person.timezone):
        return []
    other = other_way(read.due_words, read.due.day)
    if other is None:
        return []
    typed, meant = other
    return [
        f"I cannot know whether you write the day or the month first: {typed} was read as {day(read.due.day)}. "
        f"For {meant} type `/steward {item.reference} by {meant}`."
    ]


def _from_entry(kind: Kind, entry: Entry) -> tuple[dict[str, Any], list[str]]:
    """Field values of what was typed, and sentences about what could not be read or had to be shortened."""
    hints = []
    title, details = entry.title, entry.details
    if len(title) > TITLE_MAX:
        hints.append(f"The title was longer than {TITLE_MAX} characters, so I kept all of it in the details.")
        details = f"{title}\n\n{details}" if details else title
        title = cut(title, TITLE_MAX)
    values: dict[str, Any] = {"title": title, "details": details, "tags": entry.tags, **entry.scales}
    if entry.owner_id:
        values["owner_id"] = entry.owner_id
    if entry.priority:
        values["priority"] = entry.priority
    if entry.due:
        values |= {"due_date": entry.due.day, "due_time": entry.due.time}
    if entry.repeats:
        values[kind.repeats_by] = entry.repeats
    if entry.due_problem:
        hints.append(f"Not set: due date. {esc(str(entry.due_problem))}")
    return values, hints


def about_strays(kind: Kind, entry: Entry) -> list[str]:
    """Plain sentences about words of the title that look like a part and are none."""
    said = []
    for key, word in entry.strays.items():
        field = kind.field(key)
        instead = INSTEAD.get(key) or SCALE_RUNS.format(field.shorthand)
        said.append(f"Not set: {field.label.lower()}. “{word}” stays in the title. {instead}")
    if entry.repeat_problem:
        said.append(f"Not set: {kind.field(kind.repeats_by).label.lower()}. {entry.repeat_problem}")
    return said


def _about_words(entry: Entry, item: Item) -> list[str]:
    """The same for the confirmation of what was logged."""
    hints = [esc(said) for said in about_strays(item.kind, entry)]
    if entry.repeat_problem:
        hints.append(f"To repeat {item.reference}, type how often after it: `/steward {item.reference} every monday`.")
    return hints


async def _settle_owner(session: AsyncSession, entry: Entry, values: dict[str, Any], project: Project) -> list[str]:
    """Find the owner who was named; what cannot be is left out with a sentence, so that the rest is saved."""
    hints = []
    if entry.unknown_owner:
        named = await directory.people_named(session, entry.unknown_owner)
        if len(named) == 1:
            values["owner_id"] = named[0].id
        elif named:
            names = ", ".join(f"@{esc(person.name)}" for person in named[:5])
            hints.append(f"Not set: owner. Several people are called {esc(entry.unknown_owner)}: {names}.")
        else:
            values["details"] = with_owner_outside(values["details"], entry.unknown_owner)
            hints.append(
                f"Not set: owner. Nobody here is called @{esc(entry.unknown_owner)}, so the details name them as an "
                "owner outside Slack, whom nobody reminds. If you meant somebody here, press Edit."
            )
    if owner_id := values.get("owner_id"):
        problem = await operations.owner_problem(session, project, owner_id)
        if problem:
            values.pop("owner_id")
            hints.append(f"Not set: owner. {esc(problem)}")
    return hints


async def _guess_owner(session: AsyncSession, entry: Entry, values: dict[str, Any]) -> None:
    """For a form: the one person of that name, if there is exactly one; the form shows who it is, or the name."""
    if entry.unknown_owner and not values.get("owner_id"):
        named = await directory.people_named(session, entry.unknown_owner)
        if len(named) == 1:
            values["owner_id"] = named[0].id
        elif not named:
            values["details"] = with_owner_outside(values["details"], entry.unknown_owner)


def questions(request: Request) -> tuple[str, ...]:
    """What a form has to ask beyond the record itself: in a direct message, or in a channel Steward cannot read."""
    if request.channel is None:
        return ("project",)
    if request.project is None and is_unreadable(request.channel):
        return ("project_name",)
    return ()


def _goes_to_current(request: Request) -> bool:
    """Whether words typed here go to the person's current project, with nothing to ask."""
    return request.channel is None and request.project is not None


def is_unreadable(channel: Channel) -> bool:
    """Whether Steward cannot say who is in the private channel."""
    return channel.is_private and channel.members_known_at is None


def _home_of(request: Request, project: Project) -> str:
    """The channel where a record's card goes: the one where it was logged, if it is the project's own."""
    here = request.channel
    return here.id if here is not None and here.project_id == project.id else project.home_channel_id


def _form(
    request: Request, kind: Kind, values: Mapping[str, Any], asks: tuple[str, ...], project: Project | None = None
) -> dict[str, Any]:
    context = FormContext(
        kind=kind.key,
        channel_id=request.channel_id,
        response_url=request.response_url,
        thread_ts=request.thread_ts,
        asks=asks,
    )
    project = project or request.project
    return forms.record_form(kind_in(kind, project), values, context.made_from(request.source), project=project)


async def _project_named(request: Request, deps: Deps, entry: Entry) -> Project | None:
    """The project of another channel that was named, None where none was. Raises NotFound."""
    if entry.channel_id is None or entry.channel_id == request.channel_id:
        return None
    return await projects.of_channel(deps.session, request.actor, entry.channel_id)


async def project_here(request: Request, deps: Deps) -> tuple[Project, bool]:
    """The channel's project, begun now if this is its first record, and whether it was. Raises NotAllowed."""
    channel = request.channel
    if _goes_to_current(request) and request.project is not None:
        return request.project, False
    if channel is None:
        raise InvalidFields({"title": "Slack does not say which channel this is. Please open the form in the channel."})
    await _note_presence(request, deps)
    if (project := project_known_here(request)) is not None:
        return project, False
    name, zone = name_for_project(request), request.person.timezone
    return await projects.begin(deps.session, request.actor, channel, name=name, timezone=zone, now=deps.now), True


def project_known_here(request: Request) -> Project | None:
    """The channel's project, None where the first record begins it. Raises NotAllowed."""
    channel, project = request.channel, request.project
    if channel and project and is_unreadable(channel) and project.created_by != request.actor.id:
        raise NotAllowed(
            "I cannot see yet who is in this private channel, so its project is open only to the person who began "
            "it. Type `/invite @Steward` here, then try again."
        )
    return project


def name_for_project(request: Request) -> str:
    """What the project is called that the channel's first record begins."""
    return forms.read_choice(request.state, "project_name") or (request.channel.name if request.channel else "")


async def _note_presence(request: Request, deps: Deps) -> None:
    """Slack lets only members act in a channel, so acting there proves membership where events were missed."""
    channel = request.channel
    matters = channel is not None and (channel.is_private or request.actor.standing is not Standing.MEMBER)
    if channel is None or not matters or is_unreadable(channel) or request.where not in PROVES_PRESENCE:
        return
    if not await directory.is_member(deps.session, channel.id, request.actor.id):
        await directory.joined(deps.session, channel.id, request.actor.id)


# The rest may be pressed or handed in long after the person has left.
PROVES_PRESENCE = (Where.COMMAND, Where.MENTION, Where.EVENT)


async def refuse_without_projects(request: Request, deps: Deps) -> None:
    if not await projects.seen_by(deps.session, request.actor):
        raise NotFound(
            "There is no project yet that you can see. Log the first record in a channel, for example "
            "`/action Send the firewall diagram`; that begins the channel's project."
        )


async def _logged(
    request: Request,
    deps: Deps,
    item: Item,
    project: Project,
    began: bool,
    hints: list[str],
    alike: Sequence[Record] = (),
) -> Reply:
    people = await directory.people(deps.session, {*cards.people_of(item), *(each.owner_id for each in alike)})
    settings_of = project.id if began and may(request.actor, Right.SETTINGS, project) else None
    hints = [*hints, *about_place(request, project, began), *cards.holiday_hints(item, project)]
    message = cards.saved(
        item,
        project,
        people,
        said="Logged",
        now=deps.now,
        hints=hints,
        settings_of=settings_of,
        way_back=cards.UNDO if may_take_back(request, project, [item]) else None,
        alike=alike,
    )
    return Tell(message, reference=item.reference)


def may_take_back(request: Request, project: Project, items: Iterable[Item]) -> bool:
    """Whether the person may undo the logging of these records."""
    return all(may(request.actor, Right.DELETE, project, item) for item in items)


def about_place(request: Request, project: Project, began: bool) -> list[str]:
    """Sentences for a confirmation: that a project was begun, that no card can be posted."""
    hints = []
    if began:
        lead = "with you as coordinator"
        if project.coordinator_id is None:
            lead = "without a coordinator so far (any full member can take it: `/steward settings`)"
        hints.append(
            f"This is the first record here, so I began the project *{esc(project.name)}*, {lead}, "
            f"on {esc(zone_time(project.timezone))}."
        )
    if request.channel is None and project.id == request.person.current_project_id:
        hints.append(f"In your current project *{esc(project.name)}*; `/steward switch` changes to another.")
    channel = request.channel
    if channel is not None and channel.is_out_of_reach:
        hints.append("I am not in this channel, so I cannot post the card here: type `/invite @Steward`.")
    return hints


def edit_context(request: Request, item: Item) -> FormContext:
    """What a form about this record remembers."""
    return FormContext(
        kind=item.kind.key,
        channel_id=request.channel_id,
        reference=item.reference,
        version=item.record.version,
        response_url="" if request.where is Where.HOME else request.response_url,
        thread_ts=request.thread_ts,
    )


async def editable(request: Request, deps: Deps, kind: Kind, number: int) -> tuple[Item, Project]:
    """The record, if this person may change its text now. Raises NotFound and NotAllowed."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    require(request.actor, Right.EDIT, project, item)
    operations.require_editable(item)
    return item, project


async def _merged(request: Request, deps: Deps, item: Item, project: Project, typed: Mapping[str, Any]) -> Reply:
    """The form again, with the other person's changes where this one had left a field alone. Nothing is stored."""
    rows = [row for row in await operations.history(deps.session, item) if row.version > request.context.version]
    before = [row for row in reversed(rows) if row.field]
    originals = {str(row.field): operations.stored_value(item.kind, row.field, row.before) for row in before}
    people = await directory.people(deps.session, {*cards.people_of(item), *(row.actor_id for row in rows)})
    who = " and ".join(sorted({name_of(people, row.actor_id) for row in rows})) or "Somebody"
    typed = {**typed, **item.kind.follows(typed, originals)}
    changed, values = [], dict(typed)
    for spec in item.kind.all_fields:
        if spec.key not in originals:
            continue
        changed.append(f"{spec.label.lower()} is now “{shown_value(spec, item.value(spec.key), people) or 'empty'}”")
        if spec.key not in typed or typed[spec.key] == originals[spec.key]:
            values[spec.key] = item.value(spec.key)
    changed += [f"status is now “{item.status.label}”"] if "status" in originals else []
    sentence = (
        f"{who} changed {item.reference} meanwhile: {', '.join(changed) or 'see its history'}. Not saved yet. "
        "What you typed is still below; save again to keep it."
    )
    context = replace(request.context, version=item.record.version)
    return UpdateForm(forms.edit_form(item, context, values=values, warning=sentence))


async def drawn_anew(request: Request, deps: Deps, item: Item, project: Project) -> Message | None:
    """The private message the button stands in, drawn from the latest state; None where nothing of it changes.

    A channel's card is not private: every change owes its update anyway.
    """
    is_direct = request.where is Where.MESSAGE and request.channel is None
    if not is_direct and request.where is not Where.EPHEMERAL:
        return None
    if is_direct and (rows := await _rows_anew(request, deps)):
        return rows
    people = await directory.people(deps.session, cards.people_of(item))
    is_theirs = is_direct and item.record.owner_id == request.actor.id
    draw = cards.assigned if is_theirs else cards.record_card
    shown = await around(deps.session, item, seen_by=request.actor)
    return draw(item, project, people, now=deps.now, around=shown, reader=request.actor)


async def _rows_anew(request: Request, deps: Deps) -> Message | None:
    """The message with rows that the button stands in, as of a batch; None for any other message.

    Older releases sent such rows on the morning of a due date as well.
    """
    if request.message is None:
        return None
    rows = [str(block.get("block_id", "")).partition(":") for block in request.message.blocks]
    rows = [row for row in rows if row[0] in ("morning", cards.GIVEN, ASKED)]
    wanted = [found for _, _, reference in rows if (found := read_reference(reference))]
    if not wanted:
        return None
    if rows[0][0] == ASKED:
        return await _asks_anew(request, deps, wanted)
    items = await items_of(deps.session, request.actor, wanted)
    return cards.assigned_batch(items, request.actor, now=deps.now) if items else None


async def _asks_anew(request: Request, deps: Deps, wanted: Sequence[tuple[Kind, int]]) -> Message | None:
    asks = await escalations.asked_of(deps.session, request.person, wanted, deps.now)
    people = await directory.people(deps.session, people_asked(asks))
    return asking(asks, people, request.actor) if asks else None


async def _found(request: Request, deps: Deps, kind: Kind, number: int) -> tuple[Item, Project]:
    return await operations.find(deps.session, request.actor, kind, number)


def _title_of(context: FormContext) -> str:
    """What stands above a form for a new record, where that is not simply its kind."""
    if context.follows:
        kind, _ = referred(context.follows)
        return f"{_follow_up(kind, context.step).label}: {context.follows}"
    return "Log to Steward" if "kind" in context.asks else ""


def _follow_up(kind: Kind, name: str) -> FollowUp:
    follow_up = kind.follow_up_named(name)
    if follow_up is None:
        raise NotFound("This button is from an older version of Steward. Open the record again.")
    return follow_up


def _step(kind: Kind, name: str) -> Step:
    step = kind.step_named(name)
    if step is None:
        raise NotFound("This button is from an older version of Steward. Open the record again.")
    return step


def referred(text: str) -> tuple[Kind, int]:
    """The kind and number that a button carries. Raises NotFound."""
    found = read_reference(text)
    if found is None:
        raise NotFound(operations.NOT_THERE.format(reference=cut(text, 20) or "such record"))
    return found
