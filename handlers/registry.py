"""Every way in, by name. A name before a colon stands for all names that begin so and have no entry (`step:done`)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers import (
    away,
    bulk,
    channels,
    commands,
    digest,
    escalations,
    events,
    finding,
    home,
    later,
    lists,
    many,
    me,
    moves,
    project_life,
    projects,
    reactions,
    records,
    shortcuts,
    standups,
    summary,
    tables,
    talk,
    undo,
    watching,
)
from handlers.replies import Reply
from handlers.request import Deps, Request, Where

Handler = Callable[[Request, Deps], Awaitable[Reply]]


Matters = Callable[[AsyncSession, Mapping[str, Any]], Awaitable[bool]]


class Reads(Enum):
    """What the edge asks Slack about the message that was acted on, before the handler sees it."""

    NOTHING = 0
    LINK = 1
    TEXT = 2


@dataclass(frozen=True)
class Entry:
    """A handler, whether it stores anything, and whether it is given the file that the form holds.

    Of what comes often and seldom matters, `matters` is asked first, with the event, in a unit that only reads.
    """

    run: Handler
    writes: bool = True
    reads: Reads = Reads.NOTHING
    reads_file: bool = False
    matters: Matters | None = None


BUTTONS: Mapping[str, Entry] = {
    "step": Entry(records.step_pressed),
    "follow": Entry(records.follow_pressed, writes=False),
    "undo": Entry(undo.pressed),
    "undo_batch": Entry(undo.batch_pressed),
    "undo_before": Entry(undo.before_pressed, writes=False),
    "keep": Entry(records.keep_pressed),
    "discard": Entry(records.discard_pressed),
    "typed": Entry(commands.typed_pressed),
    "edit": Entry(records.edit_pressed, writes=False),
    "show": Entry(records.show_pressed, writes=False),
    "history": Entry(records.history_pressed, writes=False),
    "all": Entry(records.all_pressed, writes=False),
    "comment": Entry(talk.asked, writes=False),
    "uncomment": Entry(talk.turned_round),
    "reword": Entry(talk.reword_pressed, writes=False),
    "move": Entry(moves.pressed, writes=False),
    "watch": Entry(watching.pressed),
    "post_card": Entry(records.post_card_pressed),
    "look": Entry(records.look_pressed, writes=False),
    "duplicate": Entry(records.duplicate_pressed),
    "log": Entry(shortcuts.log_anything, writes=False),
    "kind": Entry(records.kind_chosen, writes=False),
    "due_date": Entry(records.due_date_chosen, writes=False),
    "more_fields": Entry(records.more_fields_pressed, writes=False),
    "help": Entry(commands.help_pressed, writes=False),
    "settings": Entry(projects.settings_pressed, writes=False),
    "more_settings": Entry(project_life.more_pressed, writes=False),
    "holiday_country": Entry(project_life.country_chosen, writes=False),
    "set_up": Entry(project_life.set_up_pressed, writes=False),
    "new_project": Entry(project_life.new_pressed, writes=False),
    "template": Entry(project_life.template_chosen, writes=False),
    "projects": Entry(project_life.list_turned, writes=False),
    "open_project": Entry(project_life.open_pressed, writes=False),
    "archive_project": Entry(project_life.archive_pressed),
    "restore_project": Entry(project_life.restore_pressed),
    "bind": Entry(channels.bind_pressed),
    "unbind": Entry(channels.unbind_pressed),
    "paste": Entry(many.open_paste, writes=False),
    "import": Entry(tables.open_import, writes=False),
    "list": Entry(lists.turned, writes=False),
    "line": Entry(lists.line_pressed),
    "still": Entry(escalations.still_pressed),
    "set": Entry(escalations.set_pressed, writes=False),
    "ask_owner": Entry(escalations.ask_pressed, writes=False),
    "select": Entry(bulk.select_pressed, writes=False),
    "found": Entry(finding.turned, writes=False),
    "home": Entry(home.turned, writes=False),
    "quick": Entry(home.quick_typed),
    "switch": Entry(home.switch_pressed, writes=False),
    "summary:show": Entry(summary.show_pressed, writes=False),
    "summary:details": Entry(summary.details_pressed, writes=False),
    "summary:post": Entry(summary.post_pressed),
    "summary:again": Entry(summary.again_pressed),
    "summary:headline": Entry(summary.headline_pressed, writes=False),
    "summary:skip": Entry(summary.skip_pressed),
    "summary:unskip": Entry(summary.skip_pressed),
    "portfolio": Entry(summary.portfolio_turned, writes=False),
    "me": Entry(me.asked, writes=False),
    "unmute": Entry(me.unmuted),
    "digest": Entry(digest.pressed),
    "preview_digest": Entry(digest.preview, writes=False),
    "later": Entry(later.pressed),
    "away": Entry(away.pressed, writes=False),
    **{f"away:{word}": Entry(run, writes) for word, (run, writes) in away.PRESSED.items()},
    **{f"standup:{word}": Entry(run, writes) for word, (run, writes) in standups.PRESSED.items()},
}

FORMS: Mapping[str, Entry] = {
    "create": Entry(records.create_submitted),
    "edit": Entry(records.edit_submitted),
    "step": Entry(records.step_submitted),
    "paste": Entry(many.paste_submitted, writes=False),
    "paste_log": Entry(many.paste_logged),
    "import": Entry(tables.import_submitted, writes=False, reads_file=True),
    "import_log": Entry(tables.import_logged, reads_file=True),
    "comment": Entry(talk.submitted),
    "ask_owner": Entry(escalations.ask_submitted),
    "reword": Entry(talk.reworded),
    "pick_move": Entry(moves.picked),
    "move": Entry(moves.confirmed),
    "settings": Entry(projects.settings_submitted),
    "pick_several": Entry(bulk.picked, writes=False),
    "change_several": Entry(bulk.confirmed),
    "pick_settings": Entry(projects.settings_picked, writes=False),
    "new_project": Entry(project_life.new_submitted),
    "bind": Entry(channels.bind_picked),
    "switch": Entry(project_life.switch_picked),
    "standup": Entry(standups.submitted),
    "standup_answer": Entry(standups.answer_submitted),
    "summary_headline": Entry(summary.headline_submitted),
    "reactions": Entry(reactions.settings_submitted),
    "me": Entry(me.submitted),
    "digest_step": Entry(digest.step_submitted),
    "digest_date": Entry(digest.date_submitted),
    "digest_pass": Entry(digest.pass_submitted),
    "away": Entry(away.submitted),
}

SHORTCUTS: Mapping[str, Entry] = {
    "log_message": Entry(shortcuts.log_message, writes=False, reads=Reads.LINK),
    "log_anything": Entry(shortcuts.log_anything, writes=False),
}

MENUS: Mapping[str, Entry] = {
    "project": Entry(projects.project_options, writes=False),
    "channel": Entry(project_life.channel_options, writes=False),
    "timezone": Entry(projects.zone_options, writes=False),
    "holiday_country": Entry(projects.country_options, writes=False),
    "holiday_subdivision": Entry(projects.region_options, writes=False),
}

EVENTS: Mapping[str, Entry] = {
    "app_home_opened": Entry(home.opened),
    "member_joined_channel": Entry(events.somebody_joined),
    "member_left_channel": Entry(events.somebody_left),
    "channel_left": Entry(events.bot_left),
    "group_left": Entry(events.bot_left),
    "channel_rename": Entry(events.channel_renamed),
    "group_rename": Entry(events.channel_renamed),
    "channel_archive": Entry(events.channel_archived),
    "group_archive": Entry(events.channel_archived),
    "channel_unarchive": Entry(events.channel_archived),
    "channel_deleted": Entry(events.channel_archived),
    "group_unarchive": Entry(events.channel_archived),
    "group_deleted": Entry(events.channel_archived),
    "channel_id_changed": Entry(events.channel_moved),
    "channel_shared": Entry(events.noted, writes=False),
    "channel_unshared": Entry(events.noted, writes=False),
    "message": Entry(events.written_to),
    "message_changed": Entry(events.source_edited, matters=events.is_source),
    "message_deleted": Entry(events.source_deleted, matters=events.is_source),
    "user_change": Entry(away.status_changed, matters=away.looks_away),
    "reaction_added": Entry(reactions.reacted, reads=Reads.TEXT, matters=reactions.matters),
}

_TABLES = {
    Where.MESSAGE: BUTTONS,
    Where.EPHEMERAL: BUTTONS,
    Where.MODAL: BUTTONS,
    Where.HOME: BUTTONS,
    Where.FORM: FORMS,
    Where.SHORTCUT: SHORTCUTS,
    Where.OPTIONS: MENUS,
    Where.EVENT: EVENTS,
}


def entry_for(where: Where, name: str, text: str = "") -> Entry | None:
    """What answers there, or None when nothing of ours does. Raises StewardError for a command that means nothing."""
    if where in (Where.COMMAND, Where.MENTION):
        parsed = commands.parse(name, text)
        return Entry(parsed.run, parsed.writes, Reads.LINK if where is Where.MENTION else Reads.NOTHING)
    table = _TABLES[where]
    return table.get(name) or table.get(name.partition(":")[0])
