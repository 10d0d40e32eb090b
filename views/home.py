"""The Home tab: what a person owns, by urgency, and ways to log something."""

from models.kinds import KINDS
from models.tables import Person
from reports.urgency import URGENCIES
from reports.work import Page
from views.blocks import Block, Message, actions, button, divider, header, mrkdwn, note, overflow, plain, section
from views.cards import row
from views.lists import MARKS
from views.values import with_article


def home(page: Page, person: Person, *, notice: Message | None = None) -> Block:
    """The Home view. `notice` stands on top: the outcome of what was just pressed."""
    blocks: list[Block] = [*notice.blocks, divider()] if notice else []
    blocks.append(header("What you own"))
    quick = [button(f"Log {with_article(k.singular)}", f"log:{k.key}", k.key) for k in KINDS]
    blocks.append(actions([*quick[:4], overflow(quick[4:])]))
    ways = [button("Paste a list", "paste", ""), button("Import a table", "import", "")]
    blocks.append(actions([*ways, button("Project settings", "settings", ""), button("Help", "help", "")]))
    blocks += _lines(page) if page.lines else [section(mrkdwn(NOTHING))]
    blocks += _turns(page)
    stamp = f"<!date^{int(page.as_of.timestamp())}^As of {{date_short_pretty}} {{time}}|As of now>"
    blocks.append(note(mrkdwn(stamp), plain(f"Reminders come at 09:00 {person.timezone}")))
    return {"type": "home", "callback_id": "home", "blocks": blocks}


NOTHING = (
    "Nothing open is yours. Log something with a button above, or in a channel: "
    "`/action Send the firewall diagram @name by friday`"
)


def _lines(page: Page) -> list[Block]:
    blocks: list[Block] = []
    for urgency in URGENCIES:
        lines = [line for line in page.lines if line.urgency == urgency]
        if lines:
            blocks += [divider(), section(mrkdwn(f"{MARKS[urgency]} *{urgency}*"))]
        for line in lines:
            blocks += row(line.item, line.project, today=line.today, actions_of="home")
    return blocks


def _turns(page: Page) -> list[Block]:
    turns = [button("Previous", "home:previous", str(page.number - 1))] if page.number else []
    if not page.is_last:
        turns.append(button("Next", "home:next", str(page.number + 1)))
    if not turns:
        return []
    first = page.number * page.size + 1
    shown = f"{first} to {first + len(page.lines) - 1} of {page.total}"
    return [note(plain(shown)), actions(turns)]
