"""The edge between Slack and the handlers: one unit of work an interaction, commit, acknowledge, then send the rest.

A person hears "saved" only after the commit. What takes longer than two seconds is acknowledged with "Still working",
which promises nothing, and its result follows. Refusals reach the person where they acted, with what they typed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import islice
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import answers, logs, metrics
from bot.background import Background
from bot.carrier import Acknowledgement, Carrier, Outcome
from bot.homes import HomePublisher
from bot.incoming import Incoming
from bot.slack_directory import SlackDirectory
from bot.slack_files import SlackFiles
from handlers import commands, records
from handlers.registry import Entry, Reads, entry_for
from handlers.replies import FieldErrors, Nothing, OpenForm, Redraw, Reply, ShowHome, Tell, UpdateForm
from handlers.request import Deps, Request, SourceMessage, Where
from handlers.slack_text import after_mention, decoded, labelled, named_pieces, people_in
from models import directory, erased, operations, outbox, projects, requests
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseAway, DatabaseBusy
from models.errors import NotAllowed, Overtaken, StewardError
from models.kinds import read_reference
from models.operations import Source
from models.permissions import actor_of
from models.shielding import shielded
from models.tables import Channel, Person, Project, Workspace
from views import forms
from views.blocks import esc
from views.cards import form_offered

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
# Somebody may name people who are not known yet; of so many Slack is asked at once.
NAMED_AT_ONCE = 5


class Unknown(Exception):
    """Somebody or some channel we have not met; to be learned from Slack before the work begins again."""


class OfErased(Exception):
    """Slack tells of somebody who was erased, and who did nothing."""


class Edge:
    """Takes interactions of one workspace and answers them."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        workspace: Workspace,
        slack_directory: SlackDirectory,
        files: SlackFiles,
        scopes: Callable[[], frozenset[str]],
        homes: HomePublisher,
        carrier: Carrier,
        background: Background,
        committed: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._workspace = workspace
        self._directory = slack_directory
        self._files = files
        self._scopes = scopes
        self._homes = homes
        self._carrier = carrier
        self._background = background
        self._committed = committed
        self._patience_seconds = patience_seconds

    async def answer(self, incoming: Incoming) -> Acknowledgement:
        """Do what was asked; the acknowledgement's body. An event that fails raises, so that Slack sends it again."""
        if incoming.where in (Where.EVENT, Where.MENTION):
            await shielded(self._event(incoming) if incoming.where is Where.EVENT else self._mention(incoming))
            return None
        work = self._background.keep(self._work(incoming))
        patience = 0 if answers.is_reading(incoming) else self._patience_seconds
        done, _ = await asyncio.wait({work}, timeout=patience)
        if not done:
            said = self._background.keep(self._carrier.still_working(incoming))
            work.add_done_callback(
                lambda task: self._background.keep(self._carrier.late(incoming, task.result(), after=said))
            )
            return answers.still_working(incoming)
        return await self._carrier.acknowledge(incoming, work.result())

    async def _event(self, incoming: Incoming) -> None:
        try:
            await self._learn_from(incoming)
            reply, _ = await self._unit_with_learning(incoming)
        except (requests.AlreadyDone, OfErased):
            return
        except (DatabaseBusy, Overtaken):
            raise
        except StewardError:
            log.exception("an event was refused")
            return
        if isinstance(reply, ShowHome):
            await self._homes.show(incoming.person_id, page=reply.page)

    async def _mention(self, incoming: Incoming) -> None:
        """Do what a mention asks for; its answer is owed, in the unit of its effect where it has one.

        What only Slack's resending can help with raises, as with any event.
        """
        incoming = replace(incoming, text=after_mention(incoming.text, self._workspace.bot_user_id))
        try:
            reply, wrote = await self._unit_with_learning(incoming)
        except requests.AlreadyDone:
            return
        except (DatabaseBusy, Overtaken):
            raise
        except StewardError as refusal:
            async with self._database.unit(self._workspace.id, writes=False) as session:
                reply, wrote = answers.refusal(await _with_names(session, incoming), refusal), False
        except Exception:
            reply, wrote = _fault(incoming), False
        if not wrote:
            async with self._database.unit(self._workspace.id) as session:
                await self._owe_answer(session, await _with_names(session, incoming), reply)
            self._committed()

    async def _owe_answer(self, session: AsyncSession, incoming: Incoming, reply: Reply) -> None:
        """Owe the person the reply, where they wrote; once, however often Slack tells of the mention."""
        if isinstance(reply, OpenForm):
            carried = commands.for_button(_source_of(incoming), incoming.text)
            reply = Tell(form_offered(carried, decoded(incoming.text)))
        if isinstance(reply, Tell | Redraw):
            where = {"channel": incoming.channel_id, "thread_ts": incoming.thread_ts}
            await outbox.put(
                session,
                "answer",
                key=f"answer:{incoming.source_key}",
                target=incoming.person_id,
                payload={"text": reply.message.text, "blocks": reply.message.blocks, **where},
                due_at=self._clock.now(),
            )

    async def _learn_from(self, incoming: Incoming) -> None:
        """What Slack tells of people and channels, before the handler sees the event."""
        described = incoming.payload.get("user")
        if incoming.name in ("user_change", "team_join") and isinstance(described, dict) and described.get("id"):
            await self._directory.save_person(described)
        if incoming.name == "member_joined_channel" and incoming.person_id == self._workspace.bot_user_id:
            await self._directory.learn_channel(incoming.channel_id)
        if incoming.name in ("channel_shared", "channel_unshared"):
            await self._directory.reread([incoming.channel_id])

    async def _work(self, incoming: Incoming) -> Outcome:
        """The reply to a person, whatever happens: refusals and faults are replies too."""
        begun = monotonic()
        try:
            outcome = await self._done_or_refused(incoming)
            came_of_it = "refused" if outcome.refused else "done"
        except DatabaseAway as away:
            outcome, came_of_it = Outcome(answers.refusal(incoming, away), refused=True), "refused"
        except Exception:
            outcome, came_of_it = Outcome(_fault(incoming), refused=True), "fault"
        seconds = monotonic() - begun
        metrics.WORKED.labels(incoming.where.value, came_of_it).observe(seconds)
        log.info("%s %s: %s", incoming.where.value, incoming.name, came_of_it, extra={"ms": round(seconds * 1_000)})
        return outcome

    async def _done_or_refused(self, incoming: Incoming) -> Outcome:
        try:
            reply, wrote = await self._unit_with_learning(incoming)
            return Outcome(reply, wrote=wrote)
        except requests.AlreadyDone as repeat:
            return Outcome(await self._as_it_stands(incoming, repeat.reference))
        except DatabaseAway:
            raise
        except StewardError as refusal:
            if (done := await self._seen(incoming)) is not None:
                return Outcome(done)
            return Outcome(answers.refusal(incoming, await self._naming(incoming, refusal)), refused=True)

    async def _naming(self, incoming: Incoming, refusal: StewardError) -> StewardError:
        """The refusal with the names of the people to ask instead, where there are any."""
        if not isinstance(refusal, NotAllowed) or not refusal.ask:
            return refusal
        async with self._database.unit(self._workspace.id, writes=False) as session:
            people = await directory.people(session, refusal.ask)
        names = " or ".join(people[each].shown_name for each in refusal.ask if each in people) or "them"
        return refusal.naming(names if incoming.where is Where.FORM else esc(names))

    async def _unit_with_learning(self, incoming: Incoming) -> tuple[Reply, bool]:
        """The handler's reply, and whether it was to store something.

        Meets unknown people and channels on the way.
        """
        entry = entry_for(incoming.where, incoming.name, incoming.text)
        if entry is None or not await self._matters(incoming, entry):
            return Nothing(), False
        if entry.reads_file and (file_id := forms.file_in(incoming.state) or incoming.context.file_id):
            incoming = replace(incoming, file=await self._files.read(file_id))
        if entry.reads is not Reads.NOTHING and incoming.message:
            incoming = replace(incoming, message=await self._read(incoming, incoming.message, entry.reads))
        return await self._unit_or_again(incoming, entry), entry.writes

    async def _matters(self, incoming: Incoming, entry: Entry) -> bool:
        if entry.matters is None:
            return True
        async with self._database.unit(self._workspace.id, writes=False) as session:
            return await entry.matters(session, incoming.payload)

    async def _read(self, incoming: Incoming, message: SourceMessage, reads: Reads) -> SourceMessage:
        """The message with its link and its thread and, where Slack lets us read it, its text."""
        link = await self._directory.permalink(incoming.channel_id, message.ts)
        # A reaction does not say whether its message is a reply, but the address of a reply names its thread.
        thread_ts = message.thread_ts or "".join(parse_qs(urlsplit(link).query).get("thread_ts", []))
        if reads is Reads.TEXT:
            text = await self._directory.text_of(incoming.channel_id, message.ts, thread_ts)
            message = replace(message, text=text)
        return replace(message, link=link, thread_ts=thread_ts)

    async def _unit_or_again(self, incoming: Incoming, entry: Entry) -> Reply:
        """The unit, begun again once when somebody else was first by a moment, or the database went away in it.

        Where it may have been stored all the same, its key tells: it takes effect once.
        """
        try:
            return await self._unit_or_learn(incoming, entry)
        except Overtaken:
            return await self._unit_or_learn(incoming, entry)
        except DatabaseAway as away:
            try:
                return await self._unit_or_learn(incoming, entry)
            except DatabaseAway as again:
                raise (away if away.perhaps else again) from None

    async def _unit_or_learn(self, incoming: Incoming, entry: Entry) -> Reply:
        try:
            return await shielded(self._unit(incoming, entry, may_guess=False))
        except Unknown:
            return await shielded(self._unit(incoming, entry, may_guess=True))

    async def _unit(self, incoming: Incoming, entry: Entry, *, may_guess: bool) -> Reply:
        """One transaction: load who asks and where, run the handler, mark the request as done, commit."""
        if may_guess:
            await self._learn(incoming)
        now = self._clock.now()
        unit = self._database.unit(self._workspace.id, writes=entry.writes, is_brief=not entry.reads_file)
        async with unit as session:
            if incoming.where is Where.MENTION:
                incoming = await _with_names(session, incoming)
            request = await self._request(session, incoming, may_guess=may_guess)
            reply = await _said(entry, request, Deps(session, now), None if may_guess else incoming)
            if entry.writes and isinstance(reply, FieldErrors | OpenForm | UpdateForm):
                # A repeat of what took effect may be asked about where the first was not: its own record looks like it.
                if done := await requests.seen(session, incoming.source_key):
                    raise requests.AlreadyDone(done.reference)
            elif entry.writes:
                reference = reply.reference if isinstance(reply, Tell | Redraw) else None
                await requests.claim(session, incoming.source_key, reference=reference, now=now)
            if entry.writes and incoming.where is Where.MENTION:
                await self._owe_answer(session, incoming, reply)
            touched = operations.touched(session)
        if entry.writes:
            self._committed()
            self._homes.touch(touched - ({incoming.person_id} if incoming.where is Where.HOME else set()))
        return reply

    async def _learn(self, incoming: Incoming) -> None:
        """Ask Slack about the person, the channel and whom they name at the same time, and what their rights hang on.

        Raises OfErased.
        """
        asks: list[Awaitable[None]] = []
        async with self._database.unit(self._workspace.id, writes=False) as session:
            if incoming.person_id and await directory.person(session, incoming.person_id) is None:
                if not _acts(incoming) and await erased.among(session, [incoming.person_id]):
                    raise OfErased
                asks.append(self._directory.learn_person(incoming.person_id))
            if _names_channel(incoming) and not _is_known(await directory.channel(session, incoming.channel_id)):
                asks.append(self._directory.learn_channel(incoming.channel_id, incoming.channel_name))
            named = _named(incoming)
            known = await directory.people(session, named)
            strangers = (each for each in dict.fromkeys(named) if each not in known)
            asks += [self._directory.learn_named(each) for each in islice(strangers, NAMED_AT_ONCE)]
        await asyncio.gather(self._directory.freshen(incoming.person_id, incoming.channel_id), *asks)

    async def _request(self, session: AsyncSession, incoming: Incoming, *, may_guess: bool) -> Request:
        asking = await directory.asking(
            session, incoming.person_id, incoming.channel_id, asked_before=self._directory.fresh_since()
        )
        person, place = asking.person, asking.place if _names_channel(incoming) else None
        is_missing = (incoming.person_id and person is None) or (_names_channel(incoming) and not _is_known(place))
        # What Slack tells by itself is no decision about rights.
        is_missing = is_missing or (asking.is_stale and incoming.where is not Where.EVENT)
        if is_missing and not may_guess:
            raise Unknown
        if person is None:
            # Slack did not say who this is in time: the least rights until it does.
            name = incoming.person_name or incoming.person_id
            person = Person(
                workspace_id=self._workspace.id,
                id=incoming.person_id,
                name=name,
                real_name=name,
                is_guest=True,
                is_external=place is not None and place[0].is_shared,
            )
        channel, project = place or (None, None)
        proven = incoming.where in (Where.COMMAND, Where.EVENT)
        if project is not None and not proven and not await projects.can_see(session, project, person):
            # A button or a form outlives its person's time in the channel; typing there proves that they are in it.
            channel, project = None, None
        if not _names_channel(incoming):
            project = await projects.current(session, person)
        return Request(
            where=incoming.where,
            name=incoming.name,
            person=person,
            actor=actor_of(person),
            bot_user_id=self._workspace.bot_user_id,
            channel_id=incoming.channel_id,
            channel=channel,
            project=project,
            text=incoming.text,
            value=incoming.value,
            state=incoming.state,
            context=incoming.context,
            message=incoming.message,
            response_url=incoming.response_url,
            file=incoming.file,
            scopes=self._scopes(),
            thread_ts=incoming.thread_ts,
            source=_source_of(incoming),
            payload=incoming.payload,
        )

    async def _seen(self, incoming: Incoming) -> Reply | None:
        """The state of what this request made, when it is a repeat that is now refused."""
        if not incoming.source_key:
            return None
        async with self._database.unit(self._workspace.id, writes=False) as session:
            done = await requests.seen(session, incoming.source_key)
        return await self._as_it_stands(incoming, done.reference) if done else None

    async def _as_it_stands(self, incoming: Incoming, reference: str | None) -> Reply:
        """What a repeat is answered with: the record as it is now, or that it is no longer there."""
        found = read_reference(reference or "")
        if incoming.where is Where.HOME:
            return ShowHome()
        if found is None:
            return Nothing()
        try:
            async with self._database.unit(self._workspace.id, writes=False) as session:
                request = await self._request(session, incoming, may_guess=True)
                return await records.show(request, Deps(session, self._clock.now()), *found)
        except StewardError as gone:
            return answers.refusal(incoming, gone)


# What Slack tells of a person because they did something with Steward, and not because something is so.
_ACTS = frozenset({"app_home_opened", "message", "reaction_added"})


def _acts(incoming: Incoming) -> bool:
    return incoming.where is not Where.EVENT or incoming.name in _ACTS


async def _said(entry: Entry, request: Request, deps: Deps, names: Incoming | None) -> Reply:
    """The handler's reply. Raises its refusal, and Unknown where it asked about somebody in `names` we never met."""
    outcome: Reply | StewardError
    try:
        outcome = await entry.run(request, deps)
    except StewardError as refusal:
        outcome = refusal
    strangers = directory.strangers(deps.session)
    if strangers and names is not None and not strangers.isdisjoint(_named(names)):
        raise Unknown
    if isinstance(outcome, StewardError):
        raise outcome
    return outcome


async def _with_names(session: AsyncSession, incoming: Incoming) -> Incoming:
    """The mention with its words as a command holds them: names beside ids."""
    return replace(incoming, text=labelled(await named_pieces(session, incoming.text)))


def _named(incoming: Incoming) -> list[str]:
    """The people whom somebody names: in what they typed, in a form, and in the message it is about."""
    texts = [incoming.text, incoming.message.text if incoming.message else ""]
    return [*(each for text in texts for each in people_in(text)), *forms.people_in(incoming.state)]


def _fault(incoming: Incoming) -> Reply:
    """Log and count the exception under way; the reply has the reference to find it by."""
    reference, where = logs.reference(), f"{incoming.where.value} {incoming.name}"
    log.exception("fault %s in %s", reference, where, extra={"fault": reference})
    metrics.FAULTS.labels(incoming.where.value).inc()
    return answers.fault(incoming, reference)


def _source_of(incoming: Incoming) -> Source | None:
    """The message that was acted on, where it is somebody's and not one of ours with buttons in it."""
    message = incoming.message
    if message is None or incoming.where not in (Where.SHORTCUT, Where.MENTION, Where.EVENT):
        return None
    return Source(message.link, incoming.channel_id, message.ts, message.thread_ts)


def _names_channel(incoming: Incoming) -> bool:
    return bool(incoming.channel_id) and not incoming.is_direct


def _is_known(place: tuple[Channel, Project | None] | None) -> bool:
    """Whether we have met the channel and, where we are in it, know who else is."""
    return place is not None and (place[0].members_known_at is not None or not place[0].has_bot)
