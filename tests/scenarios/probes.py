"""Every way in, aimed at a record that is none of one's business: the table behind `test_probe.py`.

Whoever adds a button, form, menu, event, command, word or kind of message adds a line here; a test names the missing.
In every text `{action}`, `{risk}` and so on stand for the reference of a private record of that kind, `{project}` and
`{channel}` for the ids of its project and channel, `{version}` for the version that a confirmation would carry,
`{batch}` for a batch of changes to such records, `{standup}` and `{round}` for a stand-up of the private channel,
`{insider}` for somebody who is in it, `{open}` for a record everybody may see, `{person}` for whoever tries
and `{number}` for a number that never repeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.request import Where
from models.kinds import KINDS
from scheduler.notices.trouble import UNSURE


@dataclass(frozen=True)
class Aim:
    """One try. `text` is typed, `value` pressed or chosen, `context` and `state` are a form's, `payload` an event's.

    `name` is given where it is more than the entry's own, as in `step:done`. `stores` names tables that change whoever
    asks. Where `is_slacks_word`, the thing is true because Slack says so and is no try of anybody's.
    """

    text: str = ""
    value: str = ""
    name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    wheres: tuple[Where, ...] = ()
    stores: frozenset[str] = frozenset()
    is_slacks_word: bool = False


Aims = Mapping[str, tuple[Aim, ...]]


def press(*values: str, name: str = "", wheres: tuple[Where, ...] = (), **context: Any) -> tuple[Aim, ...]:
    """A button with each of these values, in a message unless said otherwise."""
    return tuple(Aim(value=value, name=name, wheres=wheres, context=context) for value in values)


def submit(context: Mapping[str, Any], **state: str) -> tuple[Aim, ...]:
    """A form that remembers `context`, with `state` typed into it."""
    return (Aim(context=context, state=state),)


def type_(*texts: str) -> tuple[Aim, ...]:
    """Words after a command."""
    return tuple(Aim(text=text) for text in texts)


def told(**payload: Any) -> tuple[Aim, ...]:
    """An event about the private channel, as Slack tells it."""
    return (Aim(payload=payload, is_slacks_word=True),)


IN_FORM = (Where.MODAL,)
EVERYWHERE = (Where.MESSAGE, Where.EPHEMERAL, Where.HOME)
EDITED = {"kind": "action", "reference": "{action}", "version": 1}

BUTTONS: Aims = {
    "step": (*press("{action}", name="step:done"), *press("{action}", name="step:cancel")),
    "follow": press("{risk}", name="follow:happened"),
    "undo": (*press("{action}:{version}"), *press("{action}:{version}", name="undo:redo")),
    "undo_batch": press("{batch}"),
    "undo_before": press("99999"),
    "comment": press("{action}"),
    "uncomment": press("{action}:1"),
    "reword": press("{action}:1"),
    "move": press("{action}"),
    "watch": (*press("{action}"), *press("{action}", name="watch:end")),
    "look": press("{action}", wheres=IN_FORM),
    "duplicate": press("{open} {action}", "{action} {open}"),
    "paste": press(""),
    "import": press(""),
    "found": press("0 zanz", "0 axol"),
    "keep": press("{action}"),
    "discard": press("{action}"),
    "typed": press("- - - {action}", "- - - list everywhere"),
    "set_up": press(""),
    "new_project": press(""),
    "template": press("", wheres=IN_FORM, project_id="{project}"),
    "projects": press("{channel} 0", "0"),
    "open_project": press("{project}"),
    "archive_project": press("{project}"),
    "restore_project": press("{project}"),
    "bind": press("{project}:"),
    "unbind": press(""),
    "quick": press("", wheres=(Where.HOME,)),
    "switch": press("", wheres=(Where.HOME,)),
    "standup:new": press("", "{channel}"),
    **{
        f"standup:{word}": press("{standup}")
        for word in ("edit", "copy", "preview", "history", "pause", "remove", "now")
    },
    **{f"standup:{word}": press("{round}") for word in ("answer", "skip", "away")},
    "summary:show": press("{project} ", "{project} 2031-11-24T14:00:00+00:00"),
    "summary:details": press("{project} 2031-11-24T14:00:00+00:00"),
    "summary:post": press("{project} 2031-11-24T14:00:00+00:00"),
    "summary:again": press("{project} 1"),
    **{f"summary:{word}": press("{project} 2031-11-28") for word in ("headline", "skip", "unskip")},
    "portfolio": press("0 ", "0 2031-11-24T14:00:00+00:00"),
    "standup:issue": press("{round} {insider}"),
    "away": press("", "1", "2031-11-24 2031-11-28 {insider} {person}"),
    "away:end": press("1"),
    "away:yes": press(""),
    "away:deputy": press("", "2031-11-28"),
    # Not a try of anybody's: it stores nothing.
    "away:no": press(""),
    "later": (
        *press("{action} 2031-11-24T15:00", name="later:hour"),
        *press("{action} 2031-11-24T15:00", name="later:day"),
    ),
    "still": press("{action}"),
    "set": press("{action}", name="set:due_date"),
    "ask_owner": press("{action}"),
    "select": press("0 everywhere", "0 all <#{channel}>"),
    "edit": press("{action}", wheres=EVERYWHERE),
    "show": press("{action}", wheres=EVERYWHERE),
    "history": press("{action}"),
    "all": press("{action}", wheres=EVERYWHERE),
    "post_card": press("{action}"),
    "log": press("", "risk"),
    "kind": press("risk", wheres=IN_FORM, kind="action", asks=("kind", "project")),
    "due_date": press("", wheres=IN_FORM, **EDITED),
    "more_settings": press("", wheres=IN_FORM, project_id="{project}", version=1),
    "holiday_country": press("DE", wheres=IN_FORM, project_id="{project}", version=1),
    "more_fields": press("", wheres=IN_FORM, **EDITED),
    "help": press(""),
    "settings": press("{project}", "", wheres=EVERYWHERE),
    "list": press("0 everywhere", "0 all actions", "0 <#{channel}>"),
    "line": press("{action} 0 everywhere", name="line:done"),
    "me": press(""),
    "unmute": press("{action}", wheres=IN_FORM),
    "preview_digest": press(""),
    "digest": (
        *press("{action} 2031-11-24", name="digest:step:done"),
        *press("{action} 2031-11-24", name="digest:step:cancel"),
        *press("{action} 2031-11-24 due_date", name="digest:tomorrow"),
        *press("{action} 2031-11-24 next_review", name="digest:week"),
        *press("{action} 2031-11-24 due_date", name="digest:date"),
        *press("{action} 2031-11-24", name="digest:still"),
        *press("{action} 2031-11-24", name="digest:pass"),
        *press("{action} 2031-11-24", name="digest:mute"),
        *press("{action} 2031-11-24", name="digest:unmute"),
        *press("{action} 2031-11-24 {version}", name="digest:undo"),
    ),
    "home": press("0", "1", wheres=(Where.HOME,)),
}

# Typed into a form: the same words whatever is there, since a preview carries a mark of them.
NAMING = "Aimed #steering @ben by friday"

FORMS: Aims = {
    "create": (
        *submit({"kind": "action", "asks": ("project",)}, title="Aimed", project="{project}"),
        *submit(
            {"kind": "action", "asks": ("project",), "channel_id": "{channel}"}, title="Aimed", project="{project}"
        ),
        *submit({"kind": "issue", "follows": "{risk}", "step": "happened"}, title="Aimed"),
    ),
    "edit": submit(EDITED, title="Aimed"),
    "step": submit({"kind": "action", "reference": "{action}", "step": "cancel"}, remark="Aimed"),
    "pick_several": submit({"line": "0 everywhere", "chosen": ("{action}", "{risk}")}, all="all", deed="close"),
    "change_several": (
        *submit({"line": "0 everywhere", "chosen": ("{action}:{version}",), "step": "close"}),
        *submit({"line": "0 all <#{channel}>", "chosen": ("{action}:{version}",), "step": "rank"}, priority="high"),
    ),
    "settings": submit({"project_id": "{project}", "version": 1}, name="Aimed", timezone="UTC"),
    "pick_settings": submit({}, project="{project}"),
    "new_project": submit({"asks": ("channel",)}, name="Aimed"),
    "comment": submit({"reference": "{action}"}, comment="Aimed"),
    "reword": submit({"reference": "{action}", "comment_id": 1}, comment="Aimed"),
    "move": submit({"reference": "{action}", "to_channel": "C00000000NE"}),
    "ask_owner": submit({"reference": "{action}"}, words="Aimed"),
    "pick_move": (
        *submit({"reference": "{action}"}, project="{project}"),
        *submit({"reference": "{open}"}, project="{project}"),
    ),
    **{
        name: (
            *submit({"asks": ("project",)}, project="{project}", lines="action Aimed"),
            *submit({"channel_id": "C00000000NE"}, lines=NAMING),
        )
        for name in ("paste", "paste_log")
    },
    **{
        name: (
            *submit({"asks": ("project",)}, project="{project}"),
            *submit({"channel_id": "C00000000NE"}, lines=f"Title,Owner\n{NAMING},ben"),
        )
        for name in ("import", "import_log")
    },
    "bind": submit({}, project="{project}"),
    "switch": submit({}, project="{project}"),
    "standup": submit({"reference": "{standup}", "version": 1}, name="Aimed", channel="{channel}"),
    "standup_answer": submit({"reference": "{round}"}),
    "summary_headline": submit({"project_id": "{project}", "reference": "2031-11-28"}, headline="Aimed"),
    "reactions": (Aim(stores=frozenset({"workspace"})),),
    "me": (Aim(stores=frozenset({"person"})),),
    "digest_step": submit({**EDITED, "step": "cancel", "of_day": "2031-11-24"}, remark="Aimed"),
    "digest_date": submit({**EDITED, "step": "due_date", "of_day": "2031-11-24"}),
    "digest_pass": submit({**EDITED, "of_day": "2031-11-24"}, why="Aimed"),
    "away": submit({}, person_id="{insider}", first_day="2031-11-24", last_day="2031-11-28"),
}

SHORTCUTS: Aims = {
    "log_message": (Aim(text="Aimed"),),
    "log_anything": (Aim(),),
}

MENUS: Aims = {
    "project": (Aim(value=""), Aim(value="nar")),
    "channel": (Aim(value=""), Aim(value="steer")),
    "holiday_country": (Aim(value="ger"),),
    "holiday_subdivision": (Aim(value="b", name="holiday_subdivision:DE"),),
    "timezone": (Aim(value="berlin"),),
}

MEMBERSHIP = {"user": "{person}", "channel": "{channel}", "channel_type": "G"}
CHANNEL = {"channel": "{channel}"}

EVENTS: Aims = {
    "app_home_opened": (Aim(payload={"user": "{person}", "tab": "home"}, stores=frozenset({"person"})),),
    "member_joined_channel": told(**MEMBERSHIP),
    "member_left_channel": told(**MEMBERSHIP),
    "channel_left": told(**CHANNEL),
    "group_left": told(**CHANNEL),
    "channel_rename": told(channel={"id": "{channel}", "name": "aimed"}),
    "group_rename": told(channel={"id": "{channel}", "name": "aimed"}),
    "channel_archive": told(**CHANNEL),
    "group_archive": told(**CHANNEL),
    "channel_unarchive": told(**CHANNEL),
    "group_unarchive": told(**CHANNEL),
    "channel_deleted": told(**CHANNEL),
    "group_deleted": told(**CHANNEL),
    "channel_id_changed": told(old_channel_id="{channel}", new_channel_id="C0000AIMED"),
    "message_changed": told(**CHANNEL, message={"ts": "1.1", "text": "Aimed"}),
    "message_deleted": told(**CHANNEL, deleted_ts="1.1"),
    "reaction_added": told(user="{person}", reaction="pushpin", item={"channel": "{channel}", "ts": "1.1"}),
    "user_change": told(user={"id": "{person}", "profile": {"status_emoji": ":palm_tree:"}}),
    "channel_shared": told(**CHANNEL),
    "channel_unshared": told(**CHANNEL),
    "message": (
        Aim(payload={"user": "{person}", "ts": "1.{number}", "text": "{action}"}, stores=frozenset({"delivery"})),
    ),
}

COMMANDS: Aims = {
    **{
        f"/{kind.key}": type_(
            "",
            "list",
            "help",
            f"{{{kind.key}}}",
            f"{{{kind.key}}} history",
            f"{{{kind.key}}} edit",
            "<#{channel}|> Aimed @ben",
        )
        for kind in KINDS
    },
    "/standup": type_("", "list", "history", "answer", "new", "help"),
    "/steward": type_("", "{action}", *(f"{{{kind.key}}}" for kind in KINDS)),
}

# What `/steward` understands, by the words of its help.
VERBS: Aims = {
    "action": type_("action"),
    "list": type_(
        "list", "list all everywhere", "list <#{channel}>", 'list everywhere "zanz"', "list #quok everywhere"
    ),
    "my": type_("my"),
    "overdue": type_("overdue", "overdue <#{channel}>", "overdue everywhere"),
    "waiting": type_("waiting"),
    "escalations": type_("escalations"),
    "show": type_("{action}"),
    "done": type_(
        *(f"{{{kind.key}}} {kind.steps[0].key}" for kind in KINDS),
    ),
    "cancel": type_("{action} cancel no longer needed"),
    "blocks": type_("{action} blocks {open}", "{open} blocks {action}", "{action} duplicates {issue}"),
    "unlink": type_("{action} unlink {open}", "{open} unlink {action}"),
    "supersede": type_("{decision} supersede"),
    "happened": type_("{risk} happened"),
    "away": type_("away", "away for <@{insider}> on the moon"),
    "back": type_("back"),
    "undo": type_("undo", "{action} undo"),
    "standup": type_("standup", "standup list"),
    "summary": type_("summary", "summary Operation", "summary Operation as of yesterday"),
    "portfolio": type_("portfolio", "portfolio as of yesterday"),
    "projects": type_("projects", "projects archived"),
    "project": type_("project", "project new"),
    "archive": type_("project archive Operation", "project restore Operation"),
    "changes": type_("project history Operation", "project history"),
    "bind": type_("bind Operation"),
    "switch": type_("switch Operation"),
    "reactions": type_("reactions"),
    "comment": type_("{action} comment Aimed", "{action} uncomment"),
    "find": type_("find zanz", "find axol", "find narw"),
    "helper": type_("{action} helper <@{person}>", "{action} unhelp"),
    "owner": type_("{action} <@{person}>", "{action} by monday !high"),
    "watch": type_("{action} watch", "{action} unwatch"),
    "move": type_("{action} move <#C00000000NE>", "{action} move <#{channel}>"),
    "paste": type_("paste"),
    "import": type_("import"),
    "edit": type_("{action} edit"),
    "history": type_("{action} history"),
    "remove": type_("{action} remove"),
    "settings": type_("settings"),
    "me": type_("me"),
    "digest": type_("digest"),
    "mute": type_("{action} mute", "{action} unmute"),
    "help": type_("help", "help list", "help risk"),
}

# Words after a reference, and lists by name.
ABOUT_RECORD: Aims = {
    word: type_(f"{{action}} {word}")
    for word in (
        *("show", "edit", "history", "comment", "uncomment", "reword", "move", "watch", "unwatch", "undo"),
        *("remove", "delete", "archive", "mute", "unmute"),
    )
}
LISTS: Aims = {
    word: type_(word, f"{word} all everywhere")
    for word in ("list", "my", "overdue", "waiting", *(kind.plural for kind in KINDS))
}

# The payload of a message to one person about the private record. None: it goes to the record's own channel only.
NOTICES: Mapping[str, dict[str, Any] | None] = {
    "card": None,
    "assigned": {},
    "assigned_batch": {"batch": "{batch}", "by": "{person}"},
    "hello": {},
    "how_to": {},
    "trouble": {"code": UNSURE, "channel": "{channel}"},
    "word": {"sentence": "Aimed"},
    "morning": {"date": "2031-11-24"},
    "digest_again": {"of": 1},
    "nobodys": {"by": "{person}", "why": "Aimed"},
    "answer": {"text": "Aimed", "blocks": []},
    "draft": {"channel": "{channel}", "thread_ts": "", "began": False},
    "begun": None,
    "escalation": {},
    "escalation_again": {"of": 1},
    "ask": {"by": "{person}", "words": "Aimed"},
    "so_far": None,
    "assigned_again": {"of": 1},
    "card_left": None,
    "watched": {"since": 0},
    "standup_digest": None,
    "standup_reply": None,
    "standup_prompt": {"round": "{round}", "opens_at": ""},
    "standup_nudge": {"round": "{round}"},
    "standup_missing": {"round": "{round}"},
    "standup_nobody": {"standup": "{standup}"},
    "summary": None,
    "summary_details": None,
    "summary_preview": {"project": "{project}", "day": "2031-11-28"},
    "summary_trouble": {"project": "{project}", "channel": "{channel}", "code": "unsure", "of": 1},
    "standup_trouble": {"standup": "{standup}", "target": "{channel}", "code": "not_in_channel"},
    "due_soon": {"value": "2031-11-24T15:00", "owner": "{insider}"},
    "channel_reminder": None,
    "channel_reminder_again": None,
    "deputy": {"absence": 1, "person": "{insider}", "by": "{insider}"},
    "deputy_again": {"absence": 1, "person": "{insider}"},
    "away_noted": {"absence": 1, "person": "{insider}", "by": "{insider}"},
    "away_hint": {"until": ""},
    "left_behind": {"person": "U00000000OM"},
    "ownerless": {"records": tuple(range(1, 40)), "vacated": ()},
    "erased_reply": {"ts": "1900000000.000100"},
}
