"""What people are told about projects: lists, confirmations, and questions before something changes for others."""

from collections.abc import Sequence
from typing import Any

from models.binding import Effect
from models.kinds import Item
from models.permissions import is_closed
from models.projects import IMPORT
from models.tables import Act, Channel, Editors, History, Person, Project
from models.working_days import WEEKDAY_NAMES, WEEKDAYS, countries, in_words, subdivisions
from reports.projects import ProjectLine, ProjectPage
from reports.work import Page
from views.blocks import Block, Message, actions, button, cut, esc, instant, mrkdwn, note, plain, section
from views.lists import in_all
from views.project_forms import setting_label
from views.undo import UNDO_BATCH
from views.values import People, due, name_of

NAMES_SHOWN = 5
HISTORY_SHOWN = 20
BEGUN_SHOWN = 20


def saved(project: Project, people: People) -> Message:
    """The private confirmation of new settings."""
    sponsor = f", sponsor {esc(name_of(people, project.sponsor_id))}" if project.sponsor_id else ""
    text = (
        f"Saved: *{esc(project.name)}*, coordinator {esc(name_of(people, project.coordinator_id))}{sponsor}, "
        f"time zone {esc(project.timezone)}. Works {calendar(project)}."
    )
    if project.who_may_edit is Editors.OWNERS:
        text += " Records are changed only by those they belong to."
    if project.may_others_log:
        text += " People of other companies may log in channels shared with them."
    if project.has_summary:
        weekday = WEEKDAY_NAMES[WEEKDAYS.index(project.summary_day)]
        text += f" Weekly summary on {weekday} at {project.summary_at:%H:%M}."
    return Message(text, [section(mrkdwn(text))])


def people_in(rows: Sequence[History]) -> set[str | None]:
    """Everybody whom the history of a project names."""
    led = {value for row in rows if row.field in _PERSONS for value in (row.before, row.after)}
    return {*led, *(row.actor_id for row in rows)}


def history(project: Project, rows: Sequence[History], people: People) -> Message:
    """What was changed of a project itself, newest last, instants in the reader's zone."""
    title = f"The last changes of {project.name}"
    blocks = [section(mrkdwn(f"*{esc(title)}*"))]
    for row in rows:
        who, what = esc(name_of(people, row.actor_id)), _changed(row, people)
        blocks.append(note(mrkdwn(f"{instant(row.at)}  {who}  {what}")))
    return Message(esc(title), blocks)


def _changed(row: History, people: People) -> str:
    """One change of a project in mrkdwn."""
    if row.act is Act.CREATED:
        return "began it"
    field = row.field or ""
    if said := _SAID.get(field):
        return said[0 if row.after else 1].format(before=esc(str(row.before)), after=esc(str(row.after)))
    before, after = (esc(_told(field, value, people)) for value in (row.before, row.after))
    return f"{esc(setting_label(field).lower())}: {before} → {after}"


def _told(field: str, value: Any, people: People) -> str:
    if field in _PERSONS:
        return name_of(people, value)
    match value:
        case bool():
            return "yes" if value else "no"
        case None | "":
            return "none"
        case _ if field == "working_days":
            return in_words(value)
        case _ if field == "who_may_edit":
            return Editors(value).label
        case _:
            return cut(str(value), 300)


_PERSONS = ("coordinator_id", "sponsor_id")

# What is no setting in the form: words for a new value, and for none.
_SAID = {
    "archived_at": ("archived it", "brought it back"),
    "is_private": ("it became private", "it became open"),
    "home_channel_id": ("its main channel is <#{after}>", ""),
    "channel": ("bound <#{after}>", "unbound <#{before}>"),
    IMPORT: ("imported {after}", ""),
}


def calendar(project: Project) -> str:
    """Its working days in words: "Monday to Friday, without the public holidays of Germany (Bayern)"."""
    words = in_words(project.working_days)
    if project.holiday_country:
        region = subdivisions(project.holiday_country).get(project.holiday_subdivision or "")
        country = countries().get(project.holiday_country, project.holiday_country)
        words += f", without the public holidays of {country}" + (f" ({region})" if region else "")
    count = len(project.days_off.split())
    return words + (f" and {count} days off of its own" if count > 1 else " and a day off of its own" if count else "")


def project_list(
    page: ProjectPage, *, may_set: frozenset[int | None], may_begin: bool = True, current_id: int | None = None
) -> Message:
    """The projects of a page, each with what is open and overdue, its channels and its buttons.

    `may_set` are the ids of those whose settings this person may change; `may_begin` is whether they may make one.
    """
    title = "Archived projects" if page.is_archived else "Your projects"
    blocks: list[Block] = [section(mrkdwn(f"*{title}*"))]
    for line in page.lines:
        blocks += _project_line(line, may_set=line.project.id in may_set, is_current=line.project.id == current_id)
    if not page.lines:
        empty = "No project is archived." if page.is_archived else NO_PROJECTS
        blocks.append(section(mrkdwn(empty)))
    turns = _turns(page, may_begin)
    blocks += [actions(turns)] if turns else []
    return Message(f"{title}: {page.total:,}", blocks)


NO_PROJECTS = (
    "There is no project yet that you can see. `/steward project new` makes one; so does the first record in a channel."
)


def _project_line(line: ProjectLine, *, may_set: bool, is_current: bool) -> list[Block]:
    project = line.project
    where = ", ".join(f"#{channel.name}" for channel in line.channels)
    facts = [
        f"{line.open:,} open",
        f"🔴 {line.overdue:,} overdue" if line.overdue else "",
        "🔒 private" if project.is_private else "",
        where,
        "your current project" if is_current else "",
    ]
    text = f"{project.name}\n" + " · ".join(filter(None, facts))
    value = str(project.id)
    buttons = [button("Show", "open_project", value, says=f"Show {project.name}")]
    if may_set and is_closed(project):
        buttons.append(button("Bring back", "restore_project", value, says=f"Bring back {project.name}"))
    elif may_set:
        buttons.append(button("Settings", "settings", value, says=f"Settings of {project.name}"))
    return [section(plain(text)), actions(buttons)]


def _turns(page: ProjectPage, may_begin: bool) -> list[Block]:
    here = "archived" if page.is_archived else "used"
    turns = [button("Previous", "projects:previous", f"{here} {page.number - 1}")] if page.number else []
    turns += [] if page.is_last else [button("Next", "projects:next", f"{here} {page.number + 1}")]
    if page.is_archived:
        return [*turns, button("Show those in use", "projects:other", "used 0")]
    if page.archived:
        turns.append(button(f"Show {page.archived:,} archived", "projects:other", "archived 0"))
    return [*turns, *([button("New project", "new_project", "")] if may_begin else [])]


def begun(project: Project, people: People, channel: Channel, items: Sequence[Item], batch: str | None) -> Message:
    """The private confirmation that a project was made; the batch's records can be taken back at once."""
    text = (
        f"Made the project *{esc(project.name)}* in #{esc(channel.name)}, coordinator "
        f"{esc(name_of(people, project.coordinator_id))}, time zone {esc(project.timezone)}. Works {calendar(project)}."
    )
    if items:
        text += f" It begins with {len(items)} records, {items[0].reference} to {items[-1].reference}."
    if channel.is_out_of_reach:
        text += " I am not in this channel, so I cannot post there: type `/invite @Steward`."
    undo = [button("Take the records back", UNDO_BATCH, batch)] if items and batch else []
    return Message(text, [section(mrkdwn(text)), actions([*undo, _settings_button(project)])])


def begun_here(items: Sequence[tuple[Item, Project]], people: People, by: str) -> Message:
    """The message to the channel of a new project: what it begins with, in one list."""
    says = f"{name_of(people, by)} began the project {items[0][1].name} with {len(items)} records."
    return _listed(says, items)


def logged_so_far(items: Sequence[tuple[Item, Project]]) -> Message:
    """The message to a channel of what was logged there before Steward could post, in one list."""
    count = "1 record is" if len(items) == 1 else f"{len(items):,} records are"
    return _listed(f"{count} open here in {items[0][1].name}; their cards come when they change.", items)


def _listed(says: str, items: Sequence[tuple[Item, Project]]) -> Message:
    lines = [
        " · ".join(filter(None, [f"{item.kind.emoji} {item.reference}  {item.record.title}", _due(item, project)]))
        for item, project in items[:BEGUN_SHOWN]
    ]
    lines += [f"and {len(items) - BEGUN_SHOWN:,} more"] if len(items) > BEGUN_SHOWN else []
    first = items[0][0].reference
    how = f"`/steward {first}` shows one of them, `/steward {first} edit` changes it, `/steward list` shows all."
    return Message(esc(says), [section(plain(says)), section(plain("\n".join(lines))), note(mrkdwn(how))])


def _due(item: Item, project: Project) -> str:
    return f"due {due(item, project)}" if item.record.due_date else ""


def archive_question(project: Project, open_records: Page) -> Message:
    """Before a project is archived."""
    what = {0: "Nothing in it is open.", 1: "One record in it is open."}.get(
        open_records.total, f"{in_all(open_records).capitalize()} records in it are open."
    )
    text = (
        f"Archive *{esc(project.name)}*? {what} It leaves all lists, Home and the digests, and nothing in it "
        "can be changed. Nothing is lost: `/steward project restore` brings it back as it is."
    )
    return question(text, button("Archive", "archive_project", str(project.id), style="danger"))


def archived(project: Project) -> Message:
    text = f"Archived *{esc(project.name)}*. `/steward project restore {esc(project.name)}` brings it back."
    return Message(text, [section(mrkdwn(text)), actions([button("Undo", "restore_project", str(project.id))])])


def restored(project: Project) -> Message:
    text = f"Brought back *{esc(project.name)}*: its records are in the lists again, and can be changed."
    return Message(text, [section(mrkdwn(text)), actions([_settings_button(project)])])


def switched(project: Project | None) -> Message:
    """What a person types in a direct message goes to the project from now on, or no longer to any."""
    if project is None:
        text = "You have no current project any more: in a direct message I ask which project is meant."
    else:
        text = (
            f"Your current project is *{esc(project.name)}*: what you log in a direct message with me goes there. "
            "`/steward switch none` ends that."
        )
    return Message(text, [section(mrkdwn(text))])


def binding_question(
    channel: Channel, project: Project, old: Project | None, effects: Sequence[tuple[Project, Effect]], value: str
) -> Message:
    """Before a channel is bound, where that changes who sees a project, or takes the channel from another one."""
    lines = [f"Bind #{esc(channel.name)} to *{esc(project.name)}*?"]
    if old is not None:
        lines.append(
            f"It belongs to *{esc(old.name)}* now. Its records and their cards stay with that project; "
            f"what is logged here from then on goes to *{esc(project.name)}*."
        )
    lines += [sentence for each, effect in effects if (sentence := effect_in_words(each, effect))]
    return question("\n".join(lines), button("Bind", "bind", value, style="primary"))


def bound(channel: Channel, project: Project, old: Project | None) -> Message:
    text = f"#{esc(channel.name)} belongs to *{esc(project.name)}* now: what is logged here goes there."
    if old is not None and is_closed(old):
        text += f" The empty project *{esc(old.name)}* is archived."
    back = f"/steward switch {old.name}" if old is not None and not is_closed(old) else "/steward unbind"
    text += f" `{esc(back)}` takes it back."
    return Message(text, [section(mrkdwn(text))])


def unbinding_question(channel: Channel, project: Project, effect: Effect, value: str) -> Message:
    """Before a channel leaves a project, where that changes who sees the project."""
    lines = [
        f"Take #{esc(channel.name)} from *{esc(project.name)}*? Its records stay with the project.",
        effect_in_words(project, effect),
    ]
    return question("\n".join(lines), button("Unbind", "unbind", value, style="danger"))


def unbound(channel: Channel, project: Project) -> Message:
    text = (
        f"#{esc(channel.name)} belongs to no project now. What was logged here stays with *{esc(project.name)}*, and "
        f"the cards stay where they are. `/steward bind {esc(project.name)}` takes it back."
    )
    return Message(text, [section(mrkdwn(text))])


def effect_in_words(project: Project, effect: Effect) -> str:
    """Who will see the project no longer, and who newly; mrkdwn, empty where nothing changes."""
    name = f"*{esc(project.name)}*"
    said = []
    if effect.is_private and not effect.was_private:
        said.append(
            f"🔒 {name} becomes private: only the members of its channels will see it and its records "
            f"({effect.seen_by} people)."
        )
    if effect.was_private and not effect.is_private:
        said.append(f"{name} is no longer private: every full member of the workspace will see it and all its records.")
    if effect.loses:
        said.append(f"{_people(effect.loses)} will no longer see {name}.")
    if effect.gains:
        said.append(f"{_people(effect.gains)} will newly see {name} and all its records.")
    return " ".join(said)


def _people(people: Sequence[Person]) -> str:
    """ "Ana Torres, Ben Fischer and 12 others"; never a mention."""
    names = [esc(person.shown_name) for person in people[:NAMES_SHOWN]]
    rest = len(people) - len(names)
    last = f"{rest:,} others" if rest > 1 else "one other" if rest else names.pop()
    return f"{', '.join(names)} and {last}" if names else last


def question(text: str, yes: Block) -> Message:
    """Something to confirm; the mrkdwn text says what will happen. Who does not want it leaves it alone."""
    return Message(text, [section(mrkdwn(text)), actions([yes]), note(plain("Nothing has changed yet."))])


def _settings_button(project: Project) -> Block:
    return button("Project settings", "settings", str(project.id))
