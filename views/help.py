"""Help, drawn from the tables of commands and kinds, so that it cannot fall behind them."""

from collections.abc import Sequence

from models.kinds import Kind
from reports.work import MOST_COUNTED
from views.blocks import Block, Message, actions, button, esc, mrkdwn, note, plain, section

# The words after /steward by what somebody wants to do; any other stands below "More".
TOPICS = (
    ("Look", ("list", "my", "overdue", "waiting", "find", "show", "history", "summary", "portfolio", "escalations")),
    ("For yourself", ("me", "digest", "watch", "mute")),
    ("Log many at once", ("action", "paste", "import", "reactions")),
    ("Change a record", ("done", "cancel", "edit", "owner", "helper", "comment", "move", "remove", "undo")),
    ("Link records", ("blocks", "unlink", "supersede", "happened")),
    ("Stand-ups, and being away", ("standup", "away", "back")),
    ("Projects", ("projects", "project", "settings", "changes", "bind", "switch", "archive")),
)


def all_help(commands: Sequence[tuple[str, str]], verbs: Sequence[tuple[str, str, str]]) -> Message:
    """What there is: (command, what it does) and (word, example, what it does)."""
    first = (
        "I keep your project's log of risks, actions, issues and decisions (RAID), of assumptions and dependencies, "
        "and tell each owner in one digest a day, at an hour of their own, what is due. Once a week the channel of a "
        "project reads how it stands."
    )
    typed = "\n".join(f"`{name}`  {esc(summary)}" for name, summary in commands)
    grammar = (
        "Words become the title. Anywhere in the line: `@name` owns it, `by friday 3pm` is when it is due, "
        "`!high` its priority, `#pilot` a tag; further lines are details. `/steward help grammar` shows all of it. "
        "Or press ⋯ on a message and choose *Log to Steward*. In threads, where commands do not work, write "
        "`@Steward risk …`; several lines that each begin with such a word are several records. "
        "A reaction may save a message as a draft: `/steward reactions`."
    )
    blocks = [
        section(plain(first)),
        section(mrkdwn(f"*Log something*\n{typed}")),
        section(mrkdwn(f"*How to type it*\n{grammar}")),
        *_by_topic(verbs),
        actions([button("Log something", "log", "", style="primary")]),
    ]
    return Message(first, blocks)


def _by_topic(verbs: Sequence[tuple[str, str, str]]) -> list[Block]:
    placed = {word for _, words in TOPICS for word in words}
    topics = (*TOPICS, ("More", [word for word, _, _ in verbs if word not in placed]))
    blocks = []
    for title, words in topics:
        lines = [f"`{esc(example)}`  {esc(summary)}" for word, example, summary in verbs if word in words]
        blocks += [section(mrkdwn("\n".join([f"*{title}*", *lines])))] if lines else []
    return blocks


def kind_help(kind: Kind) -> Message:
    """What a kind is, its fields, and the words that move it on."""
    fields = "\n".join(f"• *{field.label}*: {esc(field.help)}" for field in kind.all_fields)
    steps = "\n".join(f"• `{esc(kind.typed(step, f'{kind.letter}12'))}`: {step.label}" for step in kind.steps)
    steps += "".join(f"\n• `{kind.letter}12 {each.key}`: {each.label}" for each in kind.follow_ups)
    blocks: list[Block] = [
        section(mrkdwn(f"*{kind.emoji} {kind.plural.capitalize()}*\n{esc(kind.help)}")),
        section(mrkdwn(f"`/{kind.key} {esc(kind.example)}`")),
        section(mrkdwn(f"*Fields*\n{fields}")),
        section(mrkdwn(f"*Moving it on*\n{steps}")),
        note(plain(f"“/{kind.key}” alone opens the form, “/{kind.key} list” shows the open ones.")),
    ]
    return Message(kind.help, blocks)


# What may stand beside the title, and what it means.
GRAMMAR = (
    ("@ben", "who owns it, picked from the list that Slack shows"),
    ('@"Acme Support"', "an owner outside Slack: the name stands in the details, nobody is reminded"),
    ("by friday 3pm", "when it is due: by, due or on and a date, or the date alone at the end"),
    ("by 12 dec", "a day; also in 2 weeks, end of month, next monday, 2032-03-05"),
    ("!high", "its priority: !low !normal !high !critical"),
    ("p4 i3", "probability and impact of a risk, 1 to 5"),
    ("#pilot", "a tag"),
    ("#network", "a channel of another project: it is logged there, and its card goes to that channel"),
)
GRAMMAR_EXAMPLES = (
    "/action Send the firewall diagram @ben by friday 3pm !high",
    "/action @ben: Send the firewall diagram #pilot",
    "/steward issue VPN drops every evening due tomorrow !critical",
    "/risk Core switch may arrive late @kavya by 12 dec p4 i3 !high #pilot #network",
)


def grammar_help() -> Message:
    """How a record is typed, on one screen."""
    first = "Words become the title. Beside it, in any order, whatever is known:"
    parts = "\n".join(f"`{esc(part)}`  {esc(means)}" for part, means in GRAMMAR)
    rest = (
        "Further lines (Shift+Enter) are the details. A word that belongs to the sentence stays in the title: a name "
        "after *with* or *to*, a channel after *in*, a date after *for*. An action may say at its end how often it "
        "comes again: `every monday`, `monthly on the 1st`."
    )
    blocks = [
        section(plain(first)),
        section(mrkdwn(parts)),
        section(mrkdwn(rest)),
        section(mrkdwn("*For example*\n" + "\n".join(f"`{esc(line)}`" for line in GRAMMAR_EXAMPLES))),
    ]
    return Message(first, blocks)


LIST_WORDS = (
    ("risks", "a kind; several are added up"),
    ("open, closed, all", "open is meant where nothing is said"),
    ("in progress, deferred ...", "a status of the kind"),
    ("overdue, due today, due this week, no date", "the due date; a week ends on Sunday"),
    ("@me, @ben, nobody", "the owner"),
    ("high, !critical", "the priority"),
    (">=12, <6", "the score of risks"),
    ("#channel, everywhere", "a channel's project, or all you may see"),
    ("#pilot", "a tag"),
    ("helping", "what you help with; after an owner, that too"),
    ("waiting on me", "what you are to approve, and what you own that is overdue"),
    ('"core switch"', "words of the title, in quotes"),
)


def list_help() -> Message:
    """How to limit a list, and the lists that have names."""
    first = "After `/steward list` say what you want to see, in any order."
    words = "\n".join(f"`{esc(said)}`  {esc(means)}" for said, means in LIST_WORDS)
    named = (
        "`/steward my` is what you own or help with everywhere, `/steward overdue` what is overdue here, "
        "`/steward waiting` what waits for you, `/steward risks` the risks. Each takes filters too: "
        "`/steward my overdue high`."
    )
    blocks = [
        section(mrkdwn(f"{first}\n`/steward list risks open >=12 @me due this week`")),
        section(mrkdwn(words)),
        section(mrkdwn(named)),
        section(
            mrkdwn("*Select…* below a list changes several of its records at once, with one *Undo* for all of it.")
        ),
    ]
    return Message(first, blocks)


def escalations_help() -> Message:
    """Who is asked when nobody says a word about a record, and what ends it."""
    first = "When nobody says a word about something that matters, I ask: first its owner, then the next one up."
    what = (
        "What is overdue, a risk of 12 or more without a response or past its review date, and a risk whose trigger "
        "date has passed."
    )
    whom = (
        "The owner, their deputy while they are away, the coordinator, the sponsor; each has the project's time for an "
        "answer, two working days at first. Nobody is asked twice, or of what they may not see."
    )
    ends = (
        "Any word about the record by anybody: a step, a change, a comment, or an answer by button. "
        "`/steward A12 history` has every question, `/steward escalations` what waits for an answer, and "
        "`/steward settings` switches it off for a project or changes the time."
    )
    parts = (("What climbs", what), ("Who is asked", whom), ("What ends it", ends))
    return Message(first, [section(plain(first)), *(section(mrkdwn(f"*{name}*\n{text}")) for name, text in parts)])


ADMIN = (
    "*In Slack* you may change the settings of every project you can see, approve and reject in all of them, and "
    "remove any record (`/steward A12 remove`). Private projects are private from you too, unless you are in their "
    "channels.",
    "*People*: who is a guest, deactivated or of another company is read from Slack. Nothing is to be set up here.",
    "*On the server*: `steward doctor` says what is wrong, `steward backup FILE` writes everything to a file, `steward "
    "export` gives the log as JSON. How to host it stands in docs/host-it.md, the way back and upgrades in "
    "docs/move-and-back-up.md.",
)


def admin_help() -> Message:
    """What workspace admins can do that others cannot, and where the rest is done."""
    first = "What you can do as an admin of this workspace"
    return Message(first, [section(mrkdwn(f"*{first}*")), *(section(mrkdwn(each)) for each in ADMIN)])


def find_help() -> Message:
    """How to look for words."""
    first = (
        "After `/steward find` type words. I find the records that you can see and that have all of them: the best "
        f"first, of the newest {MOST_COUNTED:,} where there are more."
    )
    how = (
        "I look through titles, details and the other texts of a record, its comments, its tags and its reference, "
        "closed records too. Case and accents make no difference, and the beginning of a word is enough: `cab` finds "
        "“cables”. Words in quotes stand together, in that order."
    )
    filters = (
        "Filters go with the words: kinds in the plural (`risks`), `#pilot`, a channel, `@ben`, `@me`, `!high`, "
        '`>=12`, `open`, `closed`, `overdue`. To look for such a word, put it in quotes: `"open"`.'
    )
    blocks = [
        section(mrkdwn(f'{first}\n`/steward find "core switch" risks #network`')),
        section(mrkdwn(esc(how))),
        section(mrkdwn(esc(filters))),
    ]
    return Message(first, blocks)


def away_help() -> Message:
    """How to say that one is away, and what follows from it."""
    first = "Say when you are away: stand-ups do not ask you, and reminders go to your deputy or to nobody."
    typed = "\n".join(f"`/steward {words}`  {esc(means)}" for words, means in AWAY_WORDS)
    rest = (
        "Days are whole days, and I say them back. A deputy sees only what they may see anyway. When your Slack status "
        "looks like leave, I ask you, and decide nothing by myself."
    )
    return Message(first, [section(plain(first)), section(mrkdwn(typed)), note(plain(rest))])


AWAY_WORDS = (
    ("away 24 nov - 28 nov @ben", "from a day to a day; Ben is your deputy"),
    ("away until friday", "from today on; also `away today`, `away next week`, `away tomorrow for 3 days`"),
    ("away for @kavya 24 nov - 28 nov", "somebody of a project that you coordinate"),
    ("away", "what is planned, to change or end it"),
    ("back", "you are back today"),
)


def standup_help(words: Sequence[tuple[str, str]]) -> Message:
    """The words after `/standup`: (what to type, what it does)."""
    first = "A stand-up asks everybody the same few questions, at their own hour or the team's, and shows the answers."
    shown = "\n".join(f"`{esc(example)}`  {esc(summary)}" for example, summary in words)
    return Message(first, [section(plain(first)), section(mrkdwn(f"`/standup`  What there is here\n{shown}"))])


def how_to() -> Message:
    """The answer to a message in Steward's own conversation."""
    text = (
        "I read commands, and messages with my name in them: try `/action Order cables by friday`, "
        "`@Steward risk Cables may come late`, `/steward help`, or press the button."
    )
    return Message(text, [section(mrkdwn(text)), actions([button("Log something", "log", "", style="primary")])])
