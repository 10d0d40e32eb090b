"""`steward doctor`: looks at an installation, part by part, and says what is wrong and what to do about it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import migrate
from bot.manifest import OPTIONAL_SCOPES, SCOPES
from bot.oauth import INSTALL
from bot.opening import CannotStart, address, database_faults, require_database, require_writable
from bot.operation import ticker_problem
from bot.sealing import CannotOpen, Seal, Tokens
from bot.settings import Settings, unknown_names
from bot.slack_port import SlackError, SlackRefused, SlackWebApi
from bot.unheard import GONE, SAID_FOR, USED_UP
from models import installations, purging
from models.backlog import LATE, LOOKED_BACK, backlog
from models.database import Database, sqlite_path
from models.tables import Channel, Delivery, DeliveryState, Installation, Project, Workspace

# Slack refuses requests that are signed five minutes away from its own clock; half of that is worth a warning.
MOST_SKEW = timedelta(seconds=150)
LEAST_FREE_MIB = 200
NO_ANSWER = "Check the network, and SLACK_API_URL if it is set."
STAYS = "What is stored stays; if Steward was removed there, `steward erase --workspace T…` deletes it."
OLD_BACKUP = "Steward was removed there, or this database came from a backup made before the last exchange."
NAMED = 8  # channels that a line names before it only counts
OUTSIDE_PUBLIC = (
    "It posts there all the same, but hears of no mention, no reaction and no changed message, and late of who joins "
    "or leaves. `/invite @Steward` there mends that."
)
OUTSIDE_PRIVATE = "Invite it there with `/invite @Steward`, or nothing is posted, and it cannot see who is in there."

T = TypeVar("T")


class Verdict(StrEnum):
    """How a finding counts: a fault makes the whole look a failure, a note does not."""

    GOOD = "good"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and where it is not well, what to do."""

    verdict: Verdict
    about: str
    says: str
    do: str = ""

    def line(self) -> str:
        """As it is printed; the mark in words, for whoever reads a log without colours."""
        told = f"{self.verdict:<5}  {self.about}: {self.says}"
        return f"{told}\n       {self.do}" if self.do else told


def good(about: str, says: str) -> Finding:
    return Finding(Verdict.GOOD, about, says)


def note(about: str, says: str, do: str = "") -> Finding:
    return Finding(Verdict.NOTE, about, says, do)


def fault(about: str, says: str, do: str) -> Finding:
    return Finding(Verdict.FAULT, about, says, do)


async def examine(settings: Settings, *, now: datetime) -> AsyncIterator[Finding]:
    """Every finding as soon as it is known: settings, Slack, the database and what is in it. Changes nothing."""
    for unknown in unknown_names():
        name, _, says = unknown.partition(": ")
        yield note(name, *says.split(". ", 1))
    async for finding in _slack(settings, now):
        yield finding
    async with Database(settings.database_url) as database:
        opened = await _database(settings, database)
        yield opened
        if opened.verdict is Verdict.FAULT:
            return
        if space := _space(settings):
            yield space
        schema = await _schema(database)
        yield schema
        if schema.verdict is Verdict.FAULT:
            return
        if settings.serves_installed:
            async for finding in _installed(settings, database, now):
                yield finding
        yield await _ticker(database)
        workspace_ids = await database.workspace_ids()
        for workspace_id in workspace_ids:
            async with database.unit(workspace_id, writes=False) as session:
                workspace = (await session.exec(select(Workspace))).one()
                where = f" in {workspace.name} ({workspace_id})" if len(workspace_ids) > 1 else ""
                for found in (
                    *_taken(workspace),
                    await _backlog(database, workspace_id, now),
                    await _refused(session, now),
                    *await _channels(session),
                ):
                    yield replace(found, about=f"{found.about}{where}")


async def _slack(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    """The tokens, what they may do, and Slack's clock beside ours."""
    if not settings.names_slack:
        yield note("Slack", "no token is set, so `steward run` opens a workspace in your browser instead")
        return
    if settings.serves_installed:
        yield await _out_there(settings, now)
        yield await _door(settings)
        return
    if settings.slack_bot_token is None:
        yield fault("Slack", "SLACK_BOT_TOKEN is not set", "docs/connect-slack.md shows where it is copied from.")
        return
    bot = SlackWebApi(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    try:
        told, problem = await _asked("bot token", lambda: bot.call("auth.test"))
    finally:
        await bot.close()
    if told is None:
        yield problem or fault("Slack", "no answer", "Check the network.")
        return
    yield good("bot token", f"of {told.get('user', 'the app')} in {told.get('team', 'the workspace')}")
    yield _scopes(bot.scopes)
    if bot.slack_time is not None:
        yield _clock(bot.slack_time, now)
    yield await _door(settings)


async def _out_there(settings: Settings, now: datetime) -> Finding:
    """Slack itself, which tells its time to anybody, with a refusal too."""
    nobody = SlackWebApi("", settings.slack_api_url)
    try:
        with suppress(SlackRefused):
            await nobody.call("api.test")
    except SlackError as error:
        return fault("Slack", f"it did not answer: {error.code}", NO_ANSWER)
    finally:
        await nobody.close()
    return _clock(nobody.slack_time, now) if nobody.slack_time else good("Slack", "it answers")


async def _asked(
    about: str,
    call: Callable[[], Awaitable[T]],
    *,
    if_refused: str = "Copy it again from the app's page, and install the app.",
    if_gone: str | None = None,
) -> tuple[T | None, Finding | None]:
    """Slack's answer, or the fault that it is; `if_gone` is what to do where Slack says that the app was removed."""
    try:
        return await call(), None
    except SlackRefused as error:
        do = if_gone if if_gone is not None and error.code in GONE else if_refused
        return None, fault(about, f"Slack refuses it: {error.code}", do)
    except SlackError as error:
        return None, fault(about, f"Slack did not answer: {error.code}", NO_ANSWER)


async def _door(settings: Settings) -> Finding:
    """How requests come in: the app token is tried, a signing secret shows only with a request whether it is right."""
    if settings.slack_app_token is None:
        if settings.slack_signing_secret is None:
            return fault(
                "way in",
                "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set, so no request can reach Steward",
                "Set the first for `steward run`, the second for `steward web`.",
            )
        return good("way in", "HTTP; the signing secret shows whether it is right with Slack's first request")
    app = SlackWebApi(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    try:
        _, problem = await _asked("app token", lambda: app.call("apps.connections.open"))
    finally:
        await app.close()
    return problem or good("way in", "Socket Mode; the app token opens a connection")


async def _installed(settings: Settings, database: Database, now: datetime) -> AsyncIterator[Finding]:
    """Every installation: whether its token opens, is fresh, and is taken by Slack."""
    if not settings.encryption_keys:
        yield fault("keys", "STEWARD_ENCRYPTION_KEYS is not set", "Without them no stored token can be used.")
        return
    seal, everywhere = Seal(settings.encryption_keys), await installations.everywhere(database)
    if not everywhere:
        yield note(
            "installations", "nobody has installed Steward yet", f"It is done at {settings.public_url}{INSTALL}."
        )
    for installation in everywhere:
        about = f"{installation.name} ({installation.id})"
        if installation.removed_at is not None:
            goes = installation.removed_at + purging.KEPT
            yield note(
                about,
                f"removed on {installation.removed_at:%d %b %Y}; what it stored goes on {goes:%d %b %Y}",
                "Installed there again before then, Steward has all of it.",
            )
            continue
        try:
            yield await _token(settings, installation, seal.open(installation), now, about)
        except CannotOpen as reason:
            yield fault(about, str(reason), "Steward does not start as long as this is so.")
            continue
        yield replace(_scopes(frozenset(installation.scopes.split(","))), about=f"scopes in {about}")


async def _token(settings: Settings, installation: Installation, tokens: Tokens, now: datetime, about: str) -> Finding:
    """Whether the token of an installation is of use."""
    ends, since = installation.expires_at, installation.refused_since
    if ends is not None and installation.refresh_error is not None:
        do = "It is tried again every half minute. If it does not work, have Steward installed there again."
        if installation.refresh_error == USED_UP:
            do = f"{OLD_BACKUP} Have Steward installed there again. {STAYS}"
        return fault(
            about,
            f"its token, good until {ends:%d %b %Y %H:%M} UTC, could not be exchanged: {installation.refresh_error}",
            do,
        )
    if ends is not None and ends <= now:
        return note(about, "its token is over; the next call exchanges it for a new one")
    bot = SlackWebApi(tokens.access, settings.slack_api_url)
    again = "Have Steward installed there again."
    if_gone = again + _counts_as_removed(since) if since is not None else again
    try:
        call = partial(bot.call, "auth.test")
        _, problem = await _asked(about, call, if_refused=f"{again} {STAYS}", if_gone=if_gone)
    finally:
        await bot.close()
    until = f", good until {ends:%d %b %Y %H:%M} UTC" if ends else ""
    by = f"installed by {installation.installed_by} on {installation.installed_at:%d %b %Y}"
    return problem or good(about, f"{by}; Slack takes its token{until}")


def _taken(workspace: Workspace) -> Sequence[Finding]:
    """Whether its organisation seems to have taken Steward away from the workspace."""
    if workspace.refused_since is None:
        return ()
    after = _counts_as_removed(workspace.refused_since)
    return (fault("organisation", "it does not give Steward there any more", f"Have it given back.{after}"),)


def _counts_as_removed(since: datetime) -> str:
    return (
        f" Since {since:%d %b %Y} nothing is sent there by itself; if Slack goes on saying so, it counts as removed "
        f"from {since + SAID_FOR:%d %b %Y} on."
    )


def _scopes(granted: frozenset[str]) -> Finding:
    """What the token may do beside what the manifest asks for."""
    missing = sorted(set(SCOPES) - set(OPTIONAL_SCOPES) - granted)
    if missing:
        return fault(
            "scopes",
            f"missing: {', '.join(missing)}",
            "Paste the manifest anew (`steward manifest`) and reinstall the app in the workspace.",
        )
    left_out = [f"{scope} ({why})" for scope, why in OPTIONAL_SCOPES.items() if scope not in granted]
    if left_out:
        return note("scopes", "all that is needed; without the optional " + "; ".join(left_out))
    return good("scopes", "all of the manifest's")


def _clock(slack_time: datetime, now: datetime) -> Finding:
    skew = now - slack_time
    if abs(skew) > MOST_SKEW:
        return fault(
            "clock",
            f"{abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta(0) else 'behind'} Slack's",
            "Set the machine's clock by NTP: signatures are refused and reminders come at the wrong moment.",
        )
    return good("clock", f"within {abs(skew.total_seconds()):.0f} s of Slack's; time zone data {version('tzdata')}")


async def _database(settings: Settings, database: Database) -> Finding:
    """Whether it opens."""
    try:
        require_database(settings.database_url)
        require_writable(settings.database_url)
        with database_faults(settings.database_url):
            async with database.engine.connect():
                pass
    except CannotStart as reason:
        return fault("database", str(reason), "Check DATABASE_URL, and that the database runs.")
    return good("database", address(settings.database_url))


def _space(settings: Settings) -> Finding | None:
    """Room on the disk of a SQLite file."""
    file = sqlite_path(settings.database_url)
    if file is None:
        return None
    free = shutil.disk_usage(Path(file).resolve().parent).free // 2**20
    if free < LEAST_FREE_MIB:
        return fault("disk", f"{free} MiB are free beside {file}", "Make room: without it nothing can be stored.")
    return good("disk", f"{free} MiB are free")


async def _schema(database: Database) -> Finding:
    if await migrate.is_current(database):
        return good("schema", f"at step {migrate.head()}, which this release expects")
    return fault("schema", "another than this release expects", "Run `steward migrate`; make a backup first.")


async def _ticker(database: Database) -> Finding:
    problem = await ticker_problem(database)
    if problem is not None:
        return fault("clock's work", problem, "While it does not run nobody is reminded and nothing is posted.")
    return good("clock's work", "it ran within the last minute")


async def _backlog(database: Database, workspace_id: str, now: datetime) -> Finding:
    """What should have gone out by now."""
    waiting = await backlog(database, now=now, workspace_id=workspace_id)
    count = waiting.by_state["due"]
    if waiting.oldest_seconds > LATE.total_seconds():
        return fault(
            "messages",
            f"{count:,} wait, the oldest for {waiting.oldest_seconds / 60:.0f} minutes",
            "Look at the worker's log: Slack may be refusing, or no worker runs.",
        )
    return good("messages", f"{count:,} wait to be sent, none of them late")


async def _refused(session: AsyncSession, now: datetime) -> Finding:
    """What Slack would not take lately, by reason; each of these was told to whom it concerns."""
    lately = (
        col(Delivery.state).in_((DeliveryState.PARKED, DeliveryState.UNCONFIRMED)),
        col(Delivery.due_at) > now - LOOKED_BACK,
    )
    query = select(Delivery.last_error, func.count()).where(*lately).group_by(col(Delivery.last_error))
    found = sorted((await session.exec(query)).all(), key=lambda each: (-each[1], each[0] or ""))
    if not found:
        return good("refused messages", f"none in the last {LOOKED_BACK.days} days")
    reasons = ", ".join(f"{count:,} × {reason or 'unknown'}" for reason, count in found[:NAMED])
    return note(
        "refused messages", f"in the last {LOOKED_BACK.days} days: {reasons}", "Those it concerns were told in Slack."
    )


async def _channels(session: AsyncSession) -> Sequence[Finding]:
    """The channels of projects that Steward is not in, and what does not work there."""
    query = (
        select(Channel.name, Channel.is_private)
        .join(Project, col(Project.id) == col(Channel.project_id))
        .where(col(Project.archived_at).is_(None), col(Channel.is_archived).is_(False), col(Channel.has_bot).is_(False))
        .order_by(col(Channel.name))
    )
    missing = (await session.exec(query)).all()
    if not missing:
        return (good("channels", "Steward is in every project's"),)
    public = [name for name, is_private in missing if not is_private]
    private = [name for name, is_private in missing if is_private]
    found = (("public channels", public, OUTSIDE_PUBLIC), ("private channels", private, OUTSIDE_PRIVATE))
    return [note(about, f"not in {_named(names)}", do) for about, names, do in found if names]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(f"#{name}" for name in names[:NAMED]) + more
