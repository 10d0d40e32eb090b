"""A table imported: from a file or pasted, shown with all that is wrong in it, and stored only as it was shown."""

from dataclasses import dataclass, replace

from handlers import many, records
from handlers.replies import OpenForm, Reply, Tell, UpdateForm
from handlers.request import Deps, Request
from models import batches, directory, operations, projects
from models.clock import today_in, zone_or_utc
from models.dates import date_order
from models.drafts import fingerprint, storable
from models.errors import InvalidFields
from models.importing import (
    Column,
    NoTable,
    Reader,
    Table,
    columns_of,
    decoded,
    ids_of,
    names_of,
    read_rows,
    read_table,
)
from models.permissions import Right, require
from models.tables import Project
from views import forms
from views.blocks import Block
from views.many import BOX, FILE, KEEP, OTHERS, Preview, Typed, import_form, logged_many
from views.values import day, name_of

READ_FILES = "files:read"
PASTED = "the pasted table"


async def open_import(request: Request, deps: Deps) -> Reply:
    """The empty form for a table; where Slack granted no reading of files, for pasted ones only."""
    typed = Typed(project=request.project, takes_files=_takes_files(request))
    return OpenForm(import_form(await many.new_context(request, deps), typed))


async def import_submitted(request: Request, deps: Deps) -> Reply:
    """The preview of the table, in the same window, with what was typed below it."""
    return UpdateForm(await (await _imported(request, deps)).view(request, deps))


async def import_logged(request: Request, deps: Deps) -> Reply:
    """Store what the preview showed as good, all of it or nothing."""
    imported = await _imported(request, deps)
    if imported.digest != request.context.digest:
        return UpdateForm(await imported.view(request, deps))
    project, channel_id, began = await records.place_of(request, deps)
    good = storable(imported.preview.drafts)
    batch = batches.begin(deps.session)
    items = await operations.create_many(
        deps.session,
        request.actor,
        [draft.new for draft in good],
        project=project,
        channel_id=channel_id,
        now=deps.now,
        via="an import",
        is_quiet=True,
        may_be_past=True,
    )
    projects.note_import(
        deps.session,
        request.actor,
        project,
        imported.mark,
        source=imported.preview.source,
        records=len(items),
        now=deps.now,
    )
    hints = ["Their cards come to the channel when they first change; `/steward list` shows them all."]
    hints += many.about_left_out(imported.preview.drafts)
    if began:
        hints += records.about_place(request, project, began)
    way_back = batch if records.may_take_back(request, project, items) else None
    return Tell(logged_many(items, project, batch=way_back, said="Imported", hints=hints), reference=items[0].reference)


@dataclass(frozen=True)
class _Imported:
    """A table as it stands in the form. `mark` is that of its cells, whatever their file was called."""

    typed: Typed
    preview: Preview
    mark: str
    file_id: str

    @property
    def digest(self) -> str:
        return fingerprint(self.preview.project.name, self.mark, *self.preview.drafts)

    async def view(self, request: Request, deps: Deps) -> Block:
        context = replace(request.context, digest=self.digest, file_id=self.file_id)
        return import_form(context, self.typed, await many.compared(request, deps, self.preview))


async def _imported(request: Request, deps: Deps) -> _Imported:
    """The table in the form. Raises InvalidFields, whose keys are the form's block ids."""
    typed = await many.typed_into(request, deps)
    keeps_others = KEEP in forms.read_choices(request.state, OTHERS)
    typed = replace(typed, keeps_others=keeps_others, takes_files=_takes_files(request))
    project = typed.project or many.planned_project(request, deps)
    require(request.actor, Right.CREATE, project)
    text, source, file_id, box = _text(request, typed)
    try:
        table = read_table(text)
        columns = columns_of(table, typed.kind, project)
    except NoTable as problem:
        raise InvalidFields({box: str(problem)}) from problem
    reader = await _reader(request, deps, table, columns, project)
    drafts = read_rows(table, columns, typed.kind, reader, keeps_unknown=keeps_others)
    drafts = await many.checked(request, deps, drafts, project, may_be_past=True)
    mark = fingerprint(table.header, [row.cells for row in table.rows])
    preview = replace(
        await many.preview_of(deps, drafts, project),
        columns=columns,
        source=source,
        warning=await _warning(deps, project, mark),
    )
    return _Imported(typed, preview, mark, file_id)


def _text(request: Request, typed: Typed) -> tuple[str, str, str, str]:
    """The table as text, what to call it, the id of its file, and the input it is in. Raises InvalidFields."""
    pasted = "\n".join(filter(None, typed.boxes))
    chosen = forms.file_in(request.state)
    if chosen and pasted.strip():
        raise InvalidFields({BOX: "There is a file as well. Take one of the two out, so that I know which is meant."})
    if pasted.strip():
        return pasted, PASTED, "", BOX
    box = FILE if typed.takes_files else BOX
    if request.file is None:
        what = "Choose a file, or paste the table below." if typed.takes_files else "Paste the table here."
        raise InvalidFields({box: what})
    if request.file.problem:
        raise InvalidFields({box: request.file.problem})
    try:
        return decoded(request.file.content), request.file.name, request.file.id, box
    except NoTable as problem:
        raise InvalidFields({box: str(problem)}) from problem


async def _reader(request: Request, deps: Deps, table: Table, columns: tuple[Column, ...], project: Project) -> Reader:
    known = await directory.people_of_names(deps.session, names_of(table, columns))
    by_id = await directory.people(deps.session, ids_of(table, columns))
    return Reader(
        now=deps.now,
        zone=zone_or_utc(project.timezone),
        order=date_order(request.person.locale, request.person.timezone),
        locale=request.person.locale,
        people={**known, **{person.id.lower(): [person] for person in by_id.values()}},
        project=project,
    )


async def _warning(deps: Deps, project: Project, mark: str) -> str:
    """That the same table was imported before."""
    before = await projects.earlier_import(deps.session, project, mark)
    if before is None:
        return ""
    people = await directory.people(deps.session, [before.actor_id])
    when = day(today_in(project.timezone, before.at))
    return (
        f"{name_of(people, before.actor_id)} imported the same table on {when} ({before.after}). "
        "Importing it again makes every record a second time."
    )


def _takes_files(request: Request) -> bool:
    return READ_FILES in request.scopes
