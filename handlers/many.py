"""Many records at once, from a pasted list: read, shown line by line, and stored only as they were shown.

The form is its own memory. Its preview carries a fingerprint of what it shows, and submitting it reads the same text
again: where anything differs, because somebody typed on or a day has passed, the new preview comes and no surprise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers import records
from handlers.replies import OpenForm, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import batches, directory, duplicates, operations, projects
from models.clock import zone_or_utc
from models.dates import date_order
from models.drafts import Draft, Fault, fingerprint, storable
from models.entry import Entry, parse_entry, with_owner_outside
from models.errors import InvalidFields
from models.kinds import KINDS, Kind, kind_named
from models.kinds.base import FieldType
from models.operations import TITLE_MAX, New
from models.pasting import MOST_RECORDS, TICKED, Known, Pasted, names_in, read_list, with_people
from models.permissions import Right, require
from models.repeating import with_first_day
from models.tables import Project
from models.working_days import working_days_of
from views import forms
from views.blocks import Block, cut
from views.cards import looks_like
from views.forms import FormContext
from views.many import BOX, DEFAULT_KIND, Preview, Typed, box_ids, logged_many, paste_form


async def open_paste(request: Request, deps: Deps) -> Reply:
    """The empty form for a list."""
    return OpenForm(paste_form(await new_context(request, deps), Typed(project=request.project)))


async def paste_submitted(request: Request, deps: Deps) -> Reply:
    """The preview of the list, in the same window, with the list below it."""
    return UpdateForm(await (await _pasted(request, deps)).view(request, deps))


async def paste_logged(request: Request, deps: Deps) -> Reply:
    """Store what the preview showed, all of it or nothing."""
    pasted = await _pasted(request, deps)
    if pasted.digest != request.context.digest:
        return UpdateForm(await pasted.view(request, deps))
    project, channel_id, began = await records.place_of(request, deps)
    batch = batches.begin(deps.session)
    items = await operations.create_many(
        deps.session,
        request.actor,
        [draft.new for draft in storable(pasted.preview.drafts)],
        project=project,
        channel_id=channel_id,
        now=deps.now,
        via="a pasted list",
    )
    hints = [*about_left_out(pasted.preview.drafts), *records.about_place(request, project, began)]
    way_back = batch if records.may_take_back(request, project, items) else None
    message = logged_many(items, project, batch=way_back, said="Logged", hints=hints)
    return Tell(message, reference=items[0].reference)


@dataclass(frozen=True)
class _PastedList:
    typed: Typed
    preview: Preview

    @property
    def digest(self) -> str:
        return fingerprint(self.preview.project.name, *self.preview.drafts)

    async def view(self, request: Request, deps: Deps) -> Block:
        preview = await compared(request, deps, self.preview)
        return paste_form(replace(request.context, digest=self.digest), self.typed, preview)


async def _pasted(request: Request, deps: Deps) -> _PastedList:
    """The list as it stands in the form. Raises InvalidFields, whose keys are the form's block ids."""
    typed = await typed_into(request, deps)
    text = "\n".join(typed.boxes)
    lines = read_list(text, typed.kind)
    if not lines:
        raise InvalidFields({BOX: "Paste or type at least one line: each becomes a record."})
    if len(lines) > MOST_RECORDS:
        raise InvalidFields(
            {BOX: f"These are {len(lines)} records; at most {MOST_RECORDS} at once. Take some out and log them next."}
        )
    project = typed.project or planned_project(request, deps)
    require(request.actor, Right.CREATE, project)
    known = await directory.people_of_names(deps.session, names_in(text))
    drafts = [_draft(request, deps, line, known, project) for line in lines]
    drafts = await checked(request, deps, drafts, project)
    return _PastedList(typed, await preview_of(deps, drafts, project))


def _draft(request: Request, deps: Deps, line: Pasted, known: Known, project: Project) -> Draft:
    """What one line would store, with sentences about what of it was not understood."""
    entry = parse_entry(
        with_people(line.words, known),
        now=deps.now,
        zone=request.zone,
        order=date_order(request.person.locale, request.person.timezone),
        is_working_day=working_days_of(project),
        locale=request.person.locale,
        scales=line.kind.shorthands,
        can_repeat=bool(line.kind.repeats_by),
    )
    notes = [TICKED] if line.is_ticked else []
    title, details = entry.title, line.details
    if len(title) > TITLE_MAX:
        notes.append(f"The title is longer than {TITLE_MAX} characters, so all of it stands in the details.")
        title, details = cut(title, TITLE_MAX), f"{title}\n\n{details}".strip()
    values = {"title": title, "details": details, "tags": entry.tags, **entry.scales}
    if entry.priority:
        values["priority"] = entry.priority
    if entry.due:
        here = entry.due.in_zone(zone_or_utc(project.timezone))
        values |= {"due_date": here.day, "due_time": here.time}
    if entry.repeats:
        values[line.kind.repeats_by] = entry.repeats
    values = with_first_day(line.kind, values, deps.today(project))
    if entry.due_problem:
        notes.append(f"Not set: due date. {entry.due_problem}")
    notes += [said.replace("`", "") for said in records.about_strays(line.kind, entry)]
    notes += _settle_owner(entry, values, known)
    return Draft(line.line, New(line.kind, values), tuple(notes))


def _settle_owner(entry: Entry, values: dict[str, object], known: Known) -> list[str]:
    """Put the owner into the values, or the name into the details; a sentence where that is not what was meant."""
    if entry.owner_id:
        values["owner_id"] = entry.owner_id
    if not entry.unknown_owner:
        return []
    people = known.get(entry.unknown_owner.lower().rstrip(".'’-"), ())
    if len(people) == 1:
        values["owner_id"] = people[0].id
        return []
    if people:
        handles = ", ".join(f"@{person.name}" for person in people[:5])
        return [f"Not set: owner. Several people are called {entry.unknown_owner}: {handles}."]
    values["details"] = with_owner_outside(str(values["details"]), entry.unknown_owner)
    return [f"Not set: owner. Nobody here is called @{entry.unknown_owner}, so the details name them."]


def about_left_out(drafts: Sequence[Draft]) -> list[str]:
    """A sentence for the confirmation when some of the drafts were not stored."""
    number = len(drafts) - len(storable(drafts))
    lines = "1 line with mistakes was" if number == 1 else f"{number} lines with mistakes were"
    return [f"{lines} left out."] if number else []


async def new_context(request: Request, deps: Deps) -> FormContext:
    """What the empty form remembers of where it was asked for."""
    asks = records.questions(request)
    if "project" in asks:
        await records.refuse_without_projects(request, deps)
    response_url = "" if request.where is Where.HOME else request.response_url
    return FormContext(channel_id=request.channel_id, response_url=response_url, asks=asks)


async def typed_into(request: Request, deps: Deps) -> Typed:
    """What the form holds besides a file."""
    project = None
    if "project" in request.context.asks:
        project = await records.chosen_project(request, deps)
    elif (here := records.project_known_here(request)) is not None:
        project = here
    return Typed(
        kind=kind_named(forms.read_choice(request.state, DEFAULT_KIND)) or KINDS[0],
        boxes=tuple(forms.read_choice(request.state, box) for box in box_ids()),
        project=project,
        project_name=forms.read_choice(request.state, "project_name"),
    )


def planned_project(request: Request, deps: Deps) -> Project:
    """The project that logging here would begin; nothing is stored of it yet."""
    if request.channel is None:
        raise InvalidFields({BOX: "Slack does not say which channel this is. Please open the form in the channel."})
    name, zone = records.name_for_project(request), request.person.timezone
    return projects.planned(request.actor, request.channel, name=name, timezone=zone, now=deps.now)


async def checked(
    request: Request, deps: Deps, drafts: Sequence[Draft], project: Project, *, may_be_past: bool = False
) -> list[Draft]:
    """The drafts with what the rules say against them; an owner who cannot be one is left out with a sentence."""
    owners = {draft.new.values.get("owner_id") for draft in drafts}
    refused = await operations.owner_problems(deps.session, project, owners)
    found = []
    for draft in drafts:
        values, notes = dict(draft.new.values), list(draft.notes)
        if problem := refused.get(str(values.get("owner_id"))):
            del values["owner_id"]
            notes.append(f"Not set: owner. {problem}")
        new = replace(draft.new, values=values)
        problems = operations.new_problems(request.actor, project, new, now=deps.now, may_be_past=may_be_past)
        faults = [*draft.faults, *(Fault(new.kind.label_of(key), said) for key, said in problems.items())]
        found.append(replace(draft, new=new, notes=tuple(notes), faults=tuple(faults)))
    return found


async def preview_of(deps: Deps, drafts: Sequence[Draft], project: Project) -> Preview:
    """The drafts with the names of everybody in them."""
    ids = {person for draft in drafts for person in _people_in(draft.new.kind, draft)}
    return Preview(drafts, project, await directory.people(deps.session, ids), deps.today(project))


async def compared(request: Request, deps: Deps, preview: Preview) -> Preview:
    """The preview with the open records of the log that its drafts may be the same as."""
    titles = [(draft.new.kind, str(draft.new.values.get("title") or "")) for draft in preview.drafts]
    alike = await duplicates.likely_of_each(deps.session, request.actor, preview.project, titles)
    people = await directory.people(deps.session, {each.owner_id for few in alike for each in few})
    drafts = [
        replace(draft, looks_like=looks_like(draft.new.kind, few, people)) if few else draft
        for draft, few in zip(preview.drafts, alike, strict=True)
    ]
    return replace(preview, drafts=drafts)


def _people_in(kind: Kind, draft: Draft) -> list[str]:
    values = draft.new.values
    one = [values.get(spec.key) for spec in kind.all_fields if spec.type is FieldType.PERSON]
    several = [each for spec in kind.all_fields if spec.type is FieldType.PEOPLE for each in values.get(spec.key) or ()]
    return [each for each in (*one, *several) if each]
