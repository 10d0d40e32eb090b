"""The edge between Slack and the handlers: one unit of work an interaction, commit, acknowledge, then send the rest.

A person hears "saved" only after the commit. What takes longer than two seconds is acknowledged with "Still working",
which promises nothing, and its result follows. Refusals reach the person where they acted, with what they typed.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import answers
from bot.incoming import Incoming
from bot.responder import Responder
from bot.slack_directory import SlackDirectory
from bot.slack_port import SlackError, SlackPort
from handlers import home as home_handlers
from handlers import records
from handlers.registry import Entry, entry_for
from handlers.replies import FieldErrors, Nothing, OpenForm, Options, Redraw, Reply, ShowHome, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import directory, operations, requests
from models.clock import Clock
from models.database import Database, shielded
from models.errors import InvalidFields, Overtaken, StewardError
from models.kinds import read_reference
from models.permissions import actor_of
from models.tables import Channel, Person, Project, Workspace
from views.blocks import Message

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0

# Nothing to acknowledge with: an empty 200.
Acknowledgement = dict[str, Any] | None


class Homes(Protocol):
    def touch(self, person_ids: set[str]) -> None:
        """Draw these people's Home tabs anew, soon."""
        ...

    async def publish(self, person_id: str, view: dict[str, Any]) -> None: ...


class Unknown(Exception):
    """Somebody or some channel we have not met; to be learned from Slack before the work begins again."""


@dataclass(frozen=True)
class Outcome:
    """What came of an interaction. A refusal stored nothing; `wrote` is whether something was to be stored."""

    reply: Reply
    refused: bool = False
    wrote: bool = False


class Edge:
    """Takes interactions of one workspace and answers them."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        port: SlackPort,
        workspace: Workspace,
        slack_directory: SlackDirectory,
        homes: Homes,
        responder: Responder,
        committed: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._port = port
        self._workspace = workspace
        self._directory = slack_directory
        self._homes = homes
        self._responder = responder
        self._committed = committed
        self._patience_seconds = patience_seconds
        self._running: set[asyncio.Task[Any]] = set()

    async def answer(self, incoming: Incoming) -> Acknowledgement:
        """Do what was asked; the acknowledgement's body. An event that fails raises, so that Slack sends it again."""
        if incoming.workspace_id != self._workspace.id:
            log.warning("a request for a workspace that is not ours was left alone")
            return None
        if incoming.where is Where.EVENT:
            await shielded(self._event(incoming))
            return None
        work = self._keep(self._work(incoming))
        done, _ = await asyncio.wait({work}, timeout=self._patience_seconds)
        if not done:
            work.add_done_callback(lambda task: self._keep(self._late(incoming, task.result())))
            return answers.still_working(incoming)
        return await self._acknowledge(incoming, work.result())

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Let what is under way come to its end, for a while."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace_seconds)

    async def _event(self, incoming: Incoming) -> None:
        try:
            await self._learn_from(incoming)
            reply, _ = await self._unit_with_learning(incoming)
        except requests.AlreadyDone:
            return
        except InvalidFields:
            log.exception("an event was refused")
            return
        if isinstance(reply, ShowHome):
            await self._publish_home(incoming, reply.page, None)

    async def _learn_from(self, incoming: Incoming) -> None:
        """What Slack tells of people and channels, before the handler sees the event."""
        described = incoming.payload.get("user")
        if incoming.name in ("user_change", "team_join") and isinstance(described, dict) and described.get("id"):
            await self._directory.save_person(described)
        if incoming.name == "member_joined_channel" and incoming.person_id == self._workspace.bot_user_id:
            await self._directory.learn_channel(incoming.channel_id)

    async def _work(self, incoming: Incoming) -> Outcome:
        """The reply to a person, whatever happens: refusals and faults are replies too."""
        try:
            return await self._done_or_refused(incoming)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("fault %s in %s %s", reference, incoming.where.value, incoming.name)
            return Outcome(answers.fault(incoming, reference), refused=True)

    async def _done_or_refused(self, incoming: Incoming) -> Outcome:
        try:
            reply, wrote = await self._unit_with_learning(incoming)
            return Outcome(reply, wrote=wrote)
        except requests.AlreadyDone as repeat:
            return Outcome(await self._as_it_stands(incoming, repeat.reference))
        except StewardError as refusal:
            if (done := await self._seen(incoming)) is not None:
                return Outcome(done)
            return Outcome(answers.refusal(incoming, refusal), refused=True)

    async def _unit_with_learning(self, incoming: Incoming) -> tuple[Reply, bool]:
        """The handler's reply, and whether it was to store something.

        Meets unknown people and channels on the way, and begins again when somebody else was first by a moment.
        """
        entry = entry_for(incoming.where, incoming.name, incoming.text)
        if entry is None:
            return Nothing(), False
        if incoming.where is Where.SHORTCUT and incoming.message and not incoming.message.link:
            link = await self._directory.permalink(incoming.channel_id, incoming.message.ts)
            incoming = replace(incoming, message=replace(incoming.message, link=link))
        try:
            return await self._unit_or_learn(incoming, entry), entry.writes
        except Overtaken:
            return await self._unit_or_learn(incoming, entry), entry.writes

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
        async with self._database.unit(self._workspace.id, writes=entry.writes) as session:
            request = await self._request(session, incoming, may_guess=may_guess)
            reply = await entry.run(request, Deps(session, now))
            if entry.writes and not isinstance(reply, FieldErrors | OpenForm | UpdateForm):
                reference = reply.reference if isinstance(reply, Tell | Redraw) else None
                await requests.claim(session, incoming.source_key, reference=reference, now=now)
            touched = operations.touched(session)
        if entry.writes:
            self._committed()
            self._homes.touch(touched - ({incoming.person_id} if incoming.where is Where.HOME else set()))
        return reply

    async def _learn(self, incoming: Incoming) -> None:
        """Ask Slack about the person and the channel at the same time."""
        asks: list[Awaitable[None]] = []
        async with self._database.unit(self._workspace.id, writes=False) as session:
            if incoming.person_id and await directory.person(session, incoming.person_id) is None:
                asks.append(self._directory.learn_person(incoming.person_id))
            if _names_channel(incoming) and not _is_known(await directory.channel(session, incoming.channel_id)):
                asks.append(self._directory.learn_channel(incoming.channel_id, incoming.channel_name))
        await asyncio.gather(*asks)

    async def _request(self, session: AsyncSession, incoming: Incoming, *, may_guess: bool) -> Request:
        person = await directory.person(session, incoming.person_id) if incoming.person_id else None
        place = await directory.channel(session, incoming.channel_id) if _names_channel(incoming) else None
        is_missing = (incoming.person_id and person is None) or (_names_channel(incoming) and not _is_known(place))
        if is_missing and not may_guess:
            raise Unknown
        if person is None:
            # Slack did not say who this is in time: the least rights until it does.
            name = incoming.person_name or incoming.person_id
            person = Person(
                workspace_id=self._workspace.id, id=incoming.person_id, name=name, real_name=name, is_guest=True
            )
        channel, project = place or (None, None)
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

    async def _acknowledge(self, incoming: Incoming, outcome: Outcome) -> Acknowledgement:
        """The acknowledgement's body; what does not fit in it goes out at once or right after."""
        reply = outcome.reply
        match reply:
            case Options():
                return {"options": list(reply.options)}
            case _ if incoming.where is Where.OPTIONS:
                return {"options": []}
            case Tell(message=message) if incoming.where is Where.HOME and not (outcome.wrote or outcome.refused):
                return await self._acknowledge(incoming, Outcome(OpenForm(answers.message_view(message))))
            case FieldErrors():
                return {"response_action": "errors", "errors": answers.beside_fields(incoming, reply.problems)}
            case OpenForm(view=view):
                apology = await self._open(incoming, view)
                return await self._acknowledge(incoming, Outcome(apology, refused=True)) if apology else None
            case UpdateForm() if incoming.where is Where.FORM:
                return {"response_action": "update", "view": reply.view}
            case Tell(message=message) | Redraw(message=message) if incoming.where is Where.FORM:
                if incoming.response_url and not outcome.refused:
                    self._keep(self._deliver(incoming, reply))
                    return None
                return answers.in_form(message)
            case Tell(message=message) | Redraw(message=message) if incoming.where is Where.COMMAND:
                return answers.private(message)
            case Nothing():
                return None
            case _:
                self._keep(self._deliver(incoming, reply))
                return None

    async def _late(self, incoming: Incoming, outcome: Outcome) -> None:
        """The result of what took too long: to the form or the conversation it came from."""
        reply: Reply | None = outcome.reply
        if isinstance(reply, OpenForm):
            # Slack's permission lasts a little longer than our patience.
            reply = await self._open(incoming, reply.view)
        if reply is None:
            return
        if incoming.where is Where.FORM:
            view = answers.late_view(incoming, reply)
            if not await self._call("views.update", view_id=incoming.view.get("id"), view=view):
                # The form was closed meanwhile; then the words go where it was opened from.
                await self._deliver(incoming, Tell(answers.late_message(incoming, reply)))
        elif isinstance(reply, Tell | Redraw) and incoming.where is Where.COMMAND:
            await self._responder.send(incoming.response_url, answers.beside(reply.message))
        else:
            await self._deliver(incoming, reply)

    async def _deliver(self, incoming: Incoming, reply: Reply) -> None:
        """An answer that does not travel in the acknowledgement."""
        match reply, incoming.where:
            case (Nothing(), _) | (_, Where.OPTIONS):
                return
            case ((Tell(message=message) | Redraw(message=message)), Where.HOME):
                await self._publish_home(incoming, 0, message)
            case ((Tell(message=message) | Redraw(message=message)), Where.FORM) if not incoming.response_url:
                # Opened from where Slack gives no address to answer to: the Home tab is the place left.
                await self._publish_home(incoming, 0, message)
            case ShowHome(page=page), _:
                await self._publish_home(incoming, page, None)
            case ((Tell(message=message) | Redraw(message=message)), Where.MODAL):
                view = answers.message_view(message)
                await self._call("views.update", view_id=incoming.view.get("id"), view=view)
            case UpdateForm(view=view), _:
                await self._call(
                    "views.update", view_id=incoming.view.get("id"), hash=incoming.view.get("hash"), view=view
                )
            case ((Tell(message=message) | Redraw(message=message)), Where.SHORTCUT) if not incoming.response_url:
                await self._call("views.open", trigger_id=incoming.trigger_id, view=answers.message_view(message))
            case Tell(message=message, redraw=redraw), _:
                if redraw is not None:
                    await self._responder.send(incoming.response_url, answers.instead(redraw))
                await self._responder.send(incoming.response_url, answers.beside(message))
            case Redraw(message=message), _:
                await self._responder.send(incoming.response_url, answers.instead(message))
            case _:
                log.error("no way to deliver %s for %s", type(reply).__name__, incoming.where.value)

    async def _open(self, incoming: Incoming, view: dict[str, Any]) -> Tell | None:
        """Open the form now: the permission lasts three seconds. When Slack refuses, what to say about it."""
        method = "views.push" if incoming.where is Where.MODAL else "views.open"
        try:
            await self._port.call(method, trigger_id=incoming.trigger_id, view=view)
        except SlackError as error:
            log.warning("%s: %s", method, error.code)
            # Used up means that the same request, delivered twice, has opened it already.
            return None if error.code == "exchanged_trigger_id" else answers.too_late_for_form(incoming)
        return None

    async def _publish_home(self, incoming: Incoming, page: int, notice: Message | None) -> None:
        async with self._database.unit(self._workspace.id, writes=False) as session:
            person = await directory.person(session, incoming.person_id)
            if person is None:
                return
            view = await home_handlers.draw(Deps(session, self._clock.now()), person, page=page, notice=notice)
        await self._homes.publish(incoming.person_id, view)

    async def _call(self, method: str, **arguments: Any) -> bool:
        """Call Slack, and say whether it did what was asked."""
        try:
            await self._port.call(method, **arguments)
        except SlackError as error:
            log.warning("%s: %s", method, error.code)
            return False
        return True

    def _keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run on, and hold on to the task: the event loop alone would let it be collected."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def _names_channel(incoming: Incoming) -> bool:
    return bool(incoming.channel_id) and not incoming.is_direct


def _is_known(place: tuple[Channel, Project | None] | None) -> bool:
    """Whether we have met the channel and, where we are in it, know who else is."""
    return place is not None and (place[0].members_known_at is not None or not place[0].has_bot)
