"""The forms of projects: a setting has an element to draw and a way to read what was chosen, in one table.

Block ids are the project's fields, so a fault is shown beside its field.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from models import own_fields
from models.operations import TEXT_MAX
from models.projects import LEAD_DAYS_MAX, MOST_GRACE_DAYS, NAME_MAX, SETTINGS
from models.reminders import MINUTES_BEFORE
from models.tables import MONDAY_TO_FRIDAY, ChannelReminder, Editors, Person, Project
from models.templates import TEMPLATES, Template
from models.working_days import WEEKDAY_NAMES, WEEKDAYS, countries, shown_days_off, subdivisions
from views.blocks import Block, actions, button, cut, input_block, note, option, plain, safe, section
from views.forms import (
    NOT_SET,
    FormContext,
    Values,
    element_in,
    project_choice,
    read_choice,
    read_choices,
    under_headings,
)
from views.values import day

NO_COUNTRY = (NOT_SET, "No public holidays")
NO_REGION = (NOT_SET, "The whole country")
YES = "yes"
CURRENCY_MAX = 20


@dataclass(frozen=True)
class Setting:
    """How one setting is asked. Those `under` a heading are shown on demand, or where not as a project begins."""

    label: str
    help: str
    draw: Callable[[Values], Block]
    read: Callable[[Mapping[str, Any], str], Any]
    under: str = ""
    optional: bool = False
    tells: bool = False


def values_of(project: Project) -> dict[str, Any]:
    """What the form of a project starts from; days off are in words."""
    return {key: getattr(project, key) for key in SETTINGS} | {"days_off": shown_days_off(project.days_off)}


def settings_form(project: Project, context: FormContext, values: Values, shown: Collection[str] = ()) -> Block:
    """The settings of a project, filled with these values. Fields that are `shown` already stay."""
    who = "Private: only members of its channels see it." if project.is_private else "Visible to every full member."
    return {
        "type": "modal",
        "callback_id": "settings",
        "title": plain("Project settings"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [note(plain(who)), *_inputs(values, context, shown)],
    }


def new_project_form(
    context: FormContext, values: Values, *, where: str, template: Template, start: date, shown: Collection[str] = ()
) -> Block:
    """The form of a project to be made; `context.asks` may add its channel. `where` says in plain text where it goes.

    `start` is the day from which the template's due dates count.
    """
    channel: Block = {"type": "external_select", "min_query_length": 0, "placeholder": plain("Choose a channel")}
    asks_channel = input_block("channel", "Channel", channel, "One that you are in and that has no project yet.")
    name, *rest = _inputs(values, context, {*shown, "working_days", "holiday_country"})
    blocks = [
        note(plain(where)),
        name,
        *([asks_channel] if "channel" in context.asks else []),
        _template_choice(template),
        *_preview(template, values, start),
        *rest,
    ]
    return {
        "type": "modal",
        "callback_id": "new_project",
        "title": plain("New project"),
        "submit": plain("Make it"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def new_values(name: str, person: Person) -> dict[str, Any]:
    """What the form of a new project starts from: its maker coordinates, in the zone of their Slack profile."""
    people = {"coordinator_id": person.id, "sponsor_id": None}
    return {"name": name, **people, "timezone": person.timezone, **_BEGINS_AS}


def _template_choice(template: Template) -> Block:
    choices = [option(f"{each.name}: {each.summary}", each.key) for each in TEMPLATES]
    chosen = next(choice for choice in choices if choice["value"] == template.key)
    element = {"type": "static_select", "options": choices, "initial_option": chosen}
    return input_block("template", "Template", element, "Records to begin with.", dispatch=True)


def _preview(template: Template, values: Values, start: date) -> list[Block]:
    """What the template will log, with the due dates that the form's calendar gives."""
    if not template.starters:
        return []
    calendar = Project(
        **{key: values[key] for key in ("name", "timezone", "working_days", "holiday_country", "holiday_subdivision")},
        created_by="",
        home_channel_id="",
        created_at=datetime.min.replace(tzinfo=UTC),
    )
    lines = [f"It begins with {len(template.starters)} records, without owners yet:"]
    for starter in template.starters:
        due_date = starter.values_for(calendar, start).get("due_date")
        due = f" · due {day(due_date)}" if due_date else ""
        lines.append(f"{starter.its_kind.emoji} {starter.title}{due}")
    return [section(plain("\n".join(lines)))]


def setting_label(key: str) -> str:
    """What a setting is called in the form."""
    return _SETTINGS[key].label if key in _SETTINGS else key


def read_settings(state: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, by field; fields that the form did not show are absent. Days off are as typed.

    A country comes with its region, which is none where the form had no regions to offer.
    """
    values = {key: _SETTINGS[key].read(state, key) for key in SETTINGS if key in state}
    if "holiday_country" in values:
        values.setdefault("holiday_subdivision", None)
    return values


def project_picker(context: FormContext, *, title: str, callback_id: str, submit: str, hint: str = "") -> Block:
    """A form that only asks which project is meant."""
    choice = project_choice(None)
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [choice | {"hint": plain(hint)} if hint else choice],
    }


def menu(found: Sequence[tuple[str, str]], none: tuple[str, str]) -> list[Block]:
    """The options of a country or region menu: the one that empties it, and at most 99 found ones."""
    return [option(label, code) for code, label in (none, *found[:99])]


def _inputs(values: Values, context: FormContext, shown: Collection[str]) -> list[Block]:
    possible = [key for key in SETTINGS if key != "holiday_subdivision" or _has_regions(values)]
    wanted = [
        key
        for key in possible
        if context.shows_all or not _SETTINGS[key].under or key in shown or values[key] != _BEGINS_AS[key]
    ]
    blocks = under_headings([(_SETTINGS[key].under, [_input(key, _SETTINGS[key], values)]) for key in wanted])
    if wanted != possible:
        blocks.append(actions([button("More fields", "more_settings", "")], block_id="more_settings"))
    return blocks


def _input(key: str, setting: Setting, values: Values) -> Block:
    return input_block(
        key, setting.label, setting.draw(values), setting.help, optional=setting.optional, dispatch=setting.tells
    )


def _has_regions(values: Values) -> bool:
    country = values.get("holiday_country")
    return bool(country and subdivisions(country))


_BEGINS_AS: Values = {
    "working_days": MONDAY_TO_FRIDAY,
    "holiday_country": None,
    "holiday_subdivision": None,
    "days_off": "",
    "currency": None,
    "own_fields": "",
    "lead_days": 2,
    "who_may_edit": Editors.MEMBERS,
    "may_others_log": False,
    "has_summary": True,
    "summary_day": "fri",
    "summary_at": time(15),
    "remind_before_minutes": 60,
    "channel_reminder": ChannelReminder.OFF,
    "names_in_channel": False,
    "escalates": True,
    "grace_days": 2,
}


def _draw_line(text: str, limit: int) -> Block:
    text = cut(safe(text), limit)
    return {"type": "plain_text_input", "max_length": limit} | ({"initial_value": text} if text else {})


def _draw_person(key: str) -> Callable[[Values], Block]:
    def draw(values: Values) -> Block:
        person_id = values.get(key)
        element: Block = {"type": "users_select", "placeholder": plain("Choose a person")}
        return element | ({"initial_user": person_id} if person_id else {})

    return draw


def _draw_zone(values: Values) -> Block:
    zone = values.get("timezone")
    element: Block = {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": plain("Type a city, such as Berlin"),
    }
    return element | ({"initial_option": option(zone, zone)} if zone else {})


def _draw_weekdays(values: Values) -> Block:
    days = [option(name, key) for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)]
    chosen = [day for day in days if day["value"] in (values.get("working_days") or "").split()]
    return {"type": "checkboxes", "options": days} | ({"initial_options": chosen} if chosen else {})


def _draw_country(values: Values) -> Block:
    country = values.get("holiday_country") or ""
    element: Block = {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": plain("Type a country, such as Germany"),
    }
    return element | ({"initial_option": option(countries()[country], country)} if country in countries() else {})


def _draw_region(values: Values) -> Block:
    """Its action id names the country, so that another country empties it and the menu knows whose regions to offer."""
    country, region = values["holiday_country"], values.get("holiday_subdivision") or ""
    names = subdivisions(country)
    element: Block = {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": plain("The whole country"),
        "action_id": f"holiday_subdivision:{country}",
    }
    return element | ({"initial_option": option(names[region], region)} if region in names else {})


def _draw_lines(text: str | None) -> Block:
    element: Block = {"type": "plain_text_input", "multiline": True, "max_length": TEXT_MAX}
    return element | ({"initial_value": text} if text else {})


def _working_days(number: int) -> str:
    return f"{number} working day{'s' if number != 1 else ''}"


def _draw_editors(values: Values) -> Block:
    choices = [option(each.label, each.value) for each in Editors]
    chosen = next(each for each in choices if each["value"] == (values.get("who_may_edit") or Editors.MEMBERS))
    return {"type": "radio_buttons", "options": choices, "initial_option": chosen}


def _yes_or_no(key: str, label: str, help: str, yes: str, *, under: str) -> Setting:
    """A setting that is one box, `yes` the words beside it."""
    box = option(yes, YES)

    def draw(values: Values) -> Block:
        return {"type": "checkboxes", "options": [box]} | ({"initial_options": [box]} if values[key] else {})

    return Setting(label, help, draw, lambda state, key: YES in read_choices(state, key), under=under, optional=True)


def _draw_summary_at(values: Values) -> Block:
    at = values["summary_at"]
    return {"type": "timepicker"} | ({"initial_time": f"{at:%H:%M}"} if at else {})


def _read_time(state: Mapping[str, Any], key: str) -> time | None:
    chosen = element_in(state, key).get("selected_time")
    return time.fromisoformat(chosen) if chosen else None


def _draw_menu(key: str, choices: Mapping[Any, str]) -> Callable[[Values], Block]:
    options = {value: option(label, str(value)) for value, label in choices.items()}
    return lambda values: {
        "type": "static_select",
        "options": list(options.values()),
        "initial_option": options[values[key]],
    }


def _before(minutes: int) -> str:
    if minutes % 60 or not minutes:
        return f"{minutes} minutes before" if minutes else "None"
    hours = minutes // 60
    return "A day before" if hours == 24 else f"{hours} hour{'s' if hours > 1 else ''} before"


def _read_number(state: Mapping[str, Any], key: str) -> int:
    chosen = read_choice(state, key)
    return int(chosen) if chosen.isdecimal() else -1


def _read_code(state: Mapping[str, Any], key: str) -> str | None:
    chosen = read_choice(state, key)
    return None if chosen in ("", NOT_SET) else chosen


_SETTINGS: Mapping[str, Setting] = {
    "name": Setting(
        "Name",
        "What people call the project.",
        lambda values: _draw_line(values.get("name") or "", NAME_MAX),
        read_choice,
    ),
    "coordinator_id": Setting(
        "Coordinator",
        "Keeps the log, approves decisions, may change these.",
        _draw_person("coordinator_id"),
        _read_code,
    ),
    "sponsor_id": Setting(
        "Sponsor",
        "For whom the project is done; approves as the coordinator does.",
        _draw_person("sponsor_id"),
        _read_code,
        optional=True,
    ),
    "timezone": Setting("Time zone", "Due dates are days in this zone.", _draw_zone, _read_code),
    "working_days": Setting(
        "Working days",
        "“In 3 business days” counts these.",
        _draw_weekdays,
        lambda state, key: " ".join(day for day in WEEKDAYS if day in read_choices(state, key)),
        under="Calendar",
        # So that Slack lets it through, and the refusal comes from the one place that knows the rule.
        optional=True,
    ),
    "holiday_country": Setting(
        "Holiday country",
        "Its public holidays are no working days.",
        _draw_country,
        _read_code,
        under="Calendar",
        optional=True,
        tells=True,
    ),
    "holiday_subdivision": Setting(
        "Region", "Some regions have holidays of their own.", _draw_region, _read_code, under="Calendar", optional=True
    ),
    "days_off": Setting(
        "Days off",
        "The project's own free days, by commas or lines: 24 Dec 2031, 27 Dec 2031 to 31 Dec 2031",
        lambda values: _draw_lines(values.get("days_off")),
        read_choice,
        under="Calendar",
        optional=True,
    ),
    "currency": Setting(
        "Currency",
        "Of amounts that are typed without one: a code such as EUR.",
        lambda values: _draw_line(values.get("currency") or "", CURRENCY_MAX),
        lambda state, key: read_choice(state, key).strip().upper() or None,
        under="Records",
        optional=True,
    ),
    "own_fields": Setting(
        "Own fields",
        f"Up to {own_fields.MOST} that its records have besides, a line each: {own_fields.EXAMPLE}.",
        lambda values: _draw_lines(values.get("own_fields")),
        lambda state, key: own_fields.tidied(read_choice(state, key)),
        under="Records",
        optional=True,
    ),
    "lead_days": Setting(
        "Due soon",
        "So many working days before it is due, a record stands in its owner's digest. With 0 from the day itself.",
        _draw_menu("lead_days", {days: f"{_working_days(days)} before" for days in range(LEAD_DAYS_MAX + 1)}),
        lambda state, key: int(read_choice(state, key) or 0),
        under="Reminders",
    ),
    "who_may_edit": Setting(
        "Who may edit records",
        "Those a record belongs to: its owner, whoever raised it, coordinator and sponsor.",
        _draw_editors,
        lambda state, key: Editors(read_choice(state, key) or Editors.MEMBERS),
        under="Records",
    ),
    "may_others_log": _yes_or_no(
        "may_others_log",
        "People of other companies may log here",
        "They see what was logged in a channel they are in, whatever is chosen here.",
        "Yes, in channels shared with them",
        under="Records",
    ),
    "remind_before_minutes": Setting(
        "Reminder before a due time",
        "Of records that are due at an hour; the owner alone gets it.",
        _draw_menu("remind_before_minutes", {minutes: _before(minutes) for minutes in MINUTES_BEFORE}),
        _read_number,
        under="Reminders",
    ),
    "channel_reminder": Setting(
        "Reminder in the channel",
        "At 09:00 on a working day: what is due and overdue, in one message that is kept up to date.",
        _draw_menu("channel_reminder", {each: each.label for each in ChannelReminder}),
        lambda state, key: ChannelReminder(read_choice(state, key) or ChannelReminder.OFF),
        under="Reminders",
    ),
    "names_in_channel": _yes_or_no(
        "names_in_channel",
        "Names in the channel's reminder",
        "Without them it shows items only.",
        "Yes, owners' names, which notify nobody",
        under="Reminders",
    ),
    "escalates": _yes_or_no(
        "escalates",
        "Ask on when nobody answers",
        "What is overdue, and high risks without a response, are brought to the next person.",
        "Yes: the owner, then the coordinator, then the sponsor",
        under="When nobody answers",
    ),
    "has_summary": _yes_or_no(
        "has_summary",
        "Weekly summary in its channel",
        "The coordinator sees it on the working day before, can add a headline or leave it out.",
        "Yes, once a week",
        under="Weekly summary",
    ),
    "summary_day": Setting(
        "Day of the summary",
        "Where that is no working day by a holiday, the working day before.",
        _draw_menu("summary_day", dict(zip(WEEKDAYS, WEEKDAY_NAMES, strict=True))),
        read_choice,
        under="Weekly summary",
    ),
    "summary_at": Setting(
        "Time of the summary", "In the project's time zone.", _draw_summary_at, _read_time, under="Weekly summary"
    ),
    "grace_days": Setting(
        "Time for an answer",
        "How long each of them has before the next one is asked.",
        _draw_menu("grace_days", {days: _working_days(days) for days in range(1, MOST_GRACE_DAYS + 1)}),
        _read_number,
        under="When nobody answers",
    ),
}
