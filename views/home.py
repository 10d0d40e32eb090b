"""The Home tab: what waits for a person and what they own, by urgency; their projects; and ways to log something."""

from models.clock import today_in
from models.kinds import KINDS, Kind
from models.permissions import Actor, actor_of
from models.tables import Person
from reports.home import Overview, Standing
from reports.urgency import URGENCIES
from reports.work import Page
from views.blocks import Block, Message, actions, button, divider, esc, header, mrkdwn, note, overflow, plain, section
from views.cards import row
from views.lists import MARKS, in_all, which
from views.values import day, due, status, with_article, zone_time

PROJECTS_SHOWN = 8

# So much of a notice finds room above the fullest tab: Slack allows a hundred blocks.
NOTICE_BLOCKS = 10

MINE = "mine everywhere"
HELPING = "mine helping everywhere"
WAITING = "waiting on me everywhere"
QUICK = "quick"


def home(overview: Overview, person: Person, *, notice: Message | None = None) -> Block:
    """The Home view. `notice` stands on top: the outcome of what was just pressed."""
    page = overview.owned
    blocks: list[Block] = [*notice.blocks[:NOTICE_BLOCKS], divider()] if notice else []
    blocks += _reach(person)
    blocks += _today(overview, person)
    blocks += _quick(overview, person)
    actor = actor_of(person)
    blocks += _to_decide(overview, actor)
    blocks += [header("What you own"), *(_lines(page, actor) if page.lines else [section(mrkdwn(NOTHING))])]
    blocks += _turns(page)
    blocks += _helped(overview)
    blocks += _projects(overview, person)
    blocks += _foot(page, person)
    return {"type": "home", "callback_id": "home", "blocks": blocks}


NOTHING = (
    "Nothing open is yours. What you log with your own name in it, or what somebody hands to you, stands here, the "
    "most urgent first, and your daily digest tells you when it is due."
)

NO_PROJECTS = (
    "You take part in no project yet. A project begins with the first record in a channel: invite me with "
    "`/invite @Steward`, then type `/action Send the firewall diagram @name by friday` there."
)


def _reach(person: Person) -> list[Block]:
    """Where direct messages do not arrive, this is the only place to say it."""
    if person.unreachable_since is None:
        return []
    since = day(today_in(person.timezone, person.unreachable_since))
    said = (
        f"⚠️ Slack has taken no direct message to you from me since {since}, so no digest and no reminder reaches you. "
        "Write something to me under Messages, or ask a workspace admin whether I may write to you. "
        "What is due stands below."
    )
    return [section(plain(said))]


def _today(overview: Overview, person: Person) -> list[Block]:
    """The day in one line: what a glance is for."""
    counts = [
        f"🔴 {overview.overdue:,} overdue" if overview.overdue else "",
        f"🟠 {overview.due_today:,} due today" if overview.due_today else "",
        f"✋ {overview.to_decide_total:,} waiting for your decision" if overview.to_decide_total else "",
    ]
    said = " · ".join(filter(None, counts)) or "Nothing is due today, and nothing waits for you."
    blocks = [header(f"Today, {day(today_in(person.timezone, overview.owned.as_of))}")]
    if overview.away_until is not None:
        deputy = f", and {esc(overview.deputy.shown_name)} stands in" if overview.deputy else ""
        away = f"🌴 You are away until {day(overview.away_until)}{deputy}. `/steward back` ends it today."
        blocks.append(section(mrkdwn(away)))
    return [*blocks, section(plain(said))]


def _quick(overview: Overview, person: Person) -> list[Block]:
    """A line to type into and a button for each kind; the form that opens asks for what is missing."""
    forms = [_form_of(kind) for kind in KINDS]
    several = [button("Paste a list", "paste", ""), button("Import a table", "import", "")]
    buttons = actions([*forms[:4], overflow([*forms[4:], *several])])
    if not overview.projects:
        return [buttons]
    typed = {
        "type": "plain_text_input",
        # Another id empties it: what was typed is logged by now.
        "action_id": f"{QUICK}:{overview.last_logged}",
        "max_length": 3_000,
        "placeholder": plain("Send the firewall diagram @ben by friday, or: risk Late switch p4 i3", 150),
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    line = {
        "type": "input",
        "block_id": QUICK,
        "label": plain("Log something"),
        "element": typed,
        "dispatch_action": True,
        "hint": plain("Press Enter. An action, unless the first word is another kind. Or open a form:"),
    }
    return [line, buttons]


def _form_of(kind: Kind) -> Block:
    label, says = f"{kind.emoji} {kind.singular.capitalize()}", f"Log {with_article(kind.singular)}"
    return button(label, f"log:{kind.key}", kind.key, says=says)


def _to_decide(overview: Overview, actor: Actor) -> list[Block]:
    if not overview.to_decide:
        return []
    blocks: list[Block] = [header("Waiting for your decision")]
    for line in overview.to_decide:
        blocks += row(line.item, line.project, actor, today=line.today, actions_of="decide")
    more = overview.to_decide_total - len(overview.to_decide)
    if more:
        blocks.append(actions([button(f"Show {more:,} more", "list:open", f"0 {WAITING}")]))
    return blocks


def _lines(page: Page, actor: Actor) -> list[Block]:
    blocks: list[Block] = []
    for urgency in URGENCIES:
        lines = [line for line in page.lines if line.urgency == urgency]
        if lines:
            blocks.append(section(mrkdwn(f"{MARKS[urgency]} *{urgency}*")))
        for line in lines:
            blocks += row(line.item, line.project, actor, today=line.today, actions_of="home")
    return blocks


def _turns(page: Page) -> list[Block]:
    """The pages before and after, and several records at once."""
    turns = [button("Previous", "home:previous", str(page.number - 1))] if page.number else []
    if not page.is_last:
        turns.append(button("Next", "home:next", str(page.number + 1)))
    if page.total > 1:
        turns.append(button("Select…", "select", f"0 {MINE}", says="Select several of your records to change"))
    shown = [note(plain(f"{which(page)} of {in_all(page)}"))] if page.total > page.size else []
    return [*shown, actions(turns)] if turns else []


def _helped(overview: Overview) -> list[Block]:
    """What the person helps with, a block each."""
    if not overview.helped:
        return []
    blocks: list[Block] = [header("What you help with")]
    for line in overview.helped:
        item = line.item
        due_words = due(item, line.project, line.today)
        facts = [line.project.name, status(item), f"due {due_words}" if due_words else ""]
        text = f"{item.kind.emoji} {item.reference}  {item.record.title}\n{' · '.join(filter(None, facts))}"
        details = button("Details", "show", item.reference, says=f"Details of {item.reference}")
        blocks.append(section(plain(text), details))
    if overview.helps_with_more:
        blocks.append(actions([button("Show all", "list:open", f"0 {HELPING}", says="All that you own or help with")]))
    return blocks


def _projects(overview: Overview, person: Person) -> list[Block]:
    """How the person's projects stand, those with most overdue first."""
    blocks: list[Block] = [header("Your projects")]
    if not overview.projects:
        return [*blocks, section(mrkdwn(NO_PROJECTS))]
    for standing in overview.projects[:PROJECTS_SHOWN]:
        opens = button("Show", "open_project", str(standing.project.id), says=f"Show {standing.project.name}")
        text = f"{_name(standing, person)}\n{_how_it_stands(standing)}"
        blocks.append(section(plain(text), opens))
    if len(overview.projects) > PROJECTS_SHOWN:
        blocks.append(note(plain(f"and {len(overview.projects) - PROJECTS_SHOWN:,} more")))
    return blocks


def _name(standing: Standing, person: Person) -> str:
    project = standing.project
    facts = [
        "🔒 private" if project.is_private else "",
        "your current project" if project.id == person.current_project_id else "",
    ]
    return " · ".join(filter(None, [project.name, *facts]))


def _how_it_stands(standing: Standing) -> str:
    if not standing.total:
        return "Nothing is open."
    kinds = [
        f"{number:,} {kind.singular if number == 1 else kind.plural}"
        for kind in KINDS
        if (number := standing.open.get(kind.key))
    ]
    late = f"🔴 {standing.overdue:,} overdue · " if standing.overdue else ""
    return f"{late}{standing.total:,} open: {', '.join(kinds)}"


def _foot(page: Page, person: Person) -> list[Block]:
    of_projects = [
        button("All projects", "projects", "used 0"),
        button("Switch project", "switch", ""),
        button("Project settings", "settings", ""),
    ]
    of_person = [
        button("Your settings", "me", ""),
        button("Next digest", "preview_digest", "", says="Preview your next digest"),
        button("I'm away", "away", ""),
        button("Help", "help", ""),
    ]
    of_person += [button("Admin help", "help:admin", "admin")] if person.is_admin else []
    stamp = f"<!date^{int(page.as_of.timestamp())}^As of {{date_short_pretty}} {{time}}|As of now>"
    reminders = f"Your digest comes at {person.digest_at:%H:%M} your time ({zone_time(person.timezone)})"
    reminders = reminders if person.wants_digest else "You get no digest"
    return [divider(), actions(of_projects), actions(of_person), note(mrkdwn(stamp), plain(reminders))]
