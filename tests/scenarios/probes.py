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
    "standup:issue": press("{round} {insider}"),
    "select": press("0 everywhere", "0 all <#{channel}>"),
    "edit": press("{action}", wheres=EVERYWHERE),
    "show": press("{action}", wheres=EVERYWHERE),
    "history": press("{action}"),
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
    "home": press("0", "1", wheres=(Where.HOME,)),
}

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
    "move": submit({"reference": "{action}", "to_channel": "C00000000NE"}),
    "pick_move": (
        *submit({"reference": "{action}"}, project="{project}"),
        *submit({"reference": "{open}"}, project="{project}"),
    ),
    "paste": submit({"asks": ("project",)}, project="{project}", lines="action Aimed"),
    "paste_log": submit({"asks": ("project",)}, project="{project}", lines="action Aimed"),
    "import": submit({"asks": ("project",)}, project="{project}"),
    "import_log": submit({"asks": ("project",)}, project="{project}"),
    "bind": submit({}, project="{project}"),
    "switch": submit({}, project="{project}"),
    "standup": submit({"reference": "{standup}", "version": 1}, name="Aimed", channel="{channel}"),
    "standup_answer": submit({"reference": "{round}"}),
    "reactions": (Aim(stores=frozenset({"workspace"})),),
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
    "channel_shared": told(**CHANNEL),
    "channel_unshared": told(**CHANNEL),
    "message": (
        Aim(payload={"user": "{person}", "ts": "1.{number}", "text": "{action}"}, stores=frozenset({"delivery"})),
    ),
}

COMMANDS: Aims = {
    **{
        f"/{kind.key}": type_("", "list", "help", f"{{{kind.key}}}", f"{{{kind.key}}} history", f"{{{kind.key}}} edit")
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
    "show": type_("{action}"),
    "done": type_(
        *(f"{{{kind.key}}} {kind.steps[0].key}" for kind in KINDS),
    ),
    "cancel": type_("{action} cancel no longer needed"),
    "blocks": type_("{action} blocks {open}", "{open} blocks {action}", "{action} duplicates {issue}"),
    "unlink": type_("{action} unlink {open}", "{open} unlink {action}"),
    "supersede": type_("{decision} supersede"),
    "happened": type_("{risk} happened"),
    "undo": type_("undo", "{action} undo"),
    "standup": type_("standup", "standup list"),
    "projects": type_("projects", "projects archived"),
    "project": type_("project", "project new"),
    "archive": type_("project archive Operation", "project restore Operation"),
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
    "help": type_("help", "help list", "help risk"),
}

# Words after a reference, and lists by name.
ABOUT_RECORD: Aims = {
    word: type_(f"{{action}} {word}")
    for word in (
        *("show", "edit", "history", "comment", "uncomment", "move", "watch", "unwatch", "undo"),
        *("remove", "delete", "archive"),
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
    "answer": {"text": "Aimed", "blocks": []},
    "draft": {"channel": "{channel}", "thread_ts": "", "began": False},
    "begun": None,
    "assigned_again": {"of": 1},
    "card_left": None,
    "watched": {"since": 0},
    "expired": {"day": "2031-11-24"},
    "standup_digest": None,
    "standup_reply": None,
    "standup_prompt": {"round": "{round}", "opens_at": ""},
    "standup_nudge": {"round": "{round}"},
    "standup_missing": {"round": "{round}"},
    "standup_nobody": {"standup": "{standup}"},
    "standup_trouble": {"standup": "{standup}", "target": "{channel}", "code": "not_in_channel"},
    "left_behind": {"person": "U00000000OM"},
}
