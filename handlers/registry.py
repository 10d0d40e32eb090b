"""Every way in, by name. A name before a colon stands for all names that begin so (`step:done`)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from handlers import commands, events, home, lists, projects, records, several, shortcuts, undo
from handlers.replies import Reply
from handlers.request import Deps, Request, Where

Handler = Callable[[Request, Deps], Awaitable[Reply]]


@dataclass(frozen=True)
class Entry:
    """A handler, and whether it stores anything."""

    run: Handler
    writes: bool = True


BUTTONS: Mapping[str, Entry] = {
    "step": Entry(records.step_pressed),
    "follow": Entry(records.follow_pressed, writes=False),
    "undo": Entry(undo.pressed),
    "undo_batch": Entry(undo.batch_pressed),
    "undo_before": Entry(undo.before_pressed, writes=False),
    "edit": Entry(records.edit_pressed, writes=False),
    "show": Entry(records.show_pressed, writes=False),
    "history": Entry(records.history_pressed, writes=False),
    "post_card": Entry(records.post_card_pressed),
    "log": Entry(shortcuts.log_anything, writes=False),
    "kind": Entry(records.kind_chosen, writes=False),
    "due_date": Entry(records.due_date_chosen, writes=False),
    "more_fields": Entry(records.more_fields_pressed, writes=False),
    "help": Entry(commands.help_pressed, writes=False),
    "settings": Entry(projects.settings_pressed, writes=False),
    "more_settings": Entry(projects.more_pressed, writes=False),
    "holiday_country": Entry(projects.country_chosen, writes=False),
    "list": Entry(lists.turned, writes=False),
    "line": Entry(lists.line_pressed),
    "select": Entry(several.select_pressed, writes=False),
    "home": Entry(home.turned, writes=False),
}

FORMS: Mapping[str, Entry] = {
    "create": Entry(records.create_submitted),
    "edit": Entry(records.edit_submitted),
    "step": Entry(records.step_submitted),
    "settings": Entry(projects.settings_submitted),
    "pick_several": Entry(several.picked, writes=False),
    "change_several": Entry(several.confirmed),
    "pick_settings": Entry(projects.settings_picked, writes=False),
}

SHORTCUTS: Mapping[str, Entry] = {
    "log_message": Entry(shortcuts.log_message, writes=False),
    "log_anything": Entry(shortcuts.log_anything, writes=False),
}

MENUS: Mapping[str, Entry] = {
    "project": Entry(projects.project_options, writes=False),
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
    if where is Where.COMMAND:
        parsed = commands.parse(name, text)
        return Entry(parsed.run, writes=parsed.writes)
    return _TABLES[where].get(name.partition(":")[0])
