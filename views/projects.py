"""What people are told about a project."""

from models.tables import Editors, Project
from models.working_days import countries, in_words, subdivisions
from views.blocks import Message, esc, mrkdwn, section
from views.values import People, name_of


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
    return Message(text, [section(mrkdwn(text))])


def calendar(project: Project) -> str:
    """Its working days in words: "Monday to Friday, without the public holidays of Germany (Bayern)"."""
    words = in_words(project.working_days)
    if project.holiday_country:
        region = subdivisions(project.holiday_country).get(project.holiday_subdivision or "")
        country = countries().get(project.holiday_country, project.holiday_country)
        words += f", without the public holidays of {country}" + (f" ({region})" if region else "")
    count = len(project.days_off.split())
    return words + (f" and {count} days off of its own" if count > 1 else " and a day off of its own" if count else "")
