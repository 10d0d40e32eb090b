"""How a reply reaches the person: in the acknowledgement where it fits, else by the other ways Slack offers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot import answers
from bot.background import Background
from bot.homes import HomePublisher
from bot.incoming import Incoming
from bot.responder import Responder
from bot.slack_port import SlackError, SlackPort
from handlers.replies import FieldErrors, Nothing, OpenForm, Options, Redraw, Reply, ShowHome, Tell, UpdateForm
from handlers.request import Where
from models.database_errors import DatabaseAway
from views.refill import refilled

log = logging.getLogger(__name__)

# Owe a person a direct message: (person's id, key of the request, mrkdwn sentence).
OweWord = Callable[[str, str, str], Awaitable[None]]

# The acknowledgement's body; None for an empty 200.
Acknowledgement = dict[str, Any] | None

# How long Slack gets to draw what a form's acknowledgement says before the same window is drawn anew.
DRAWING_SECONDS = 0.3

# A window as Slack tells of it; empty for none.
Window = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of an interaction. A refusal stored nothing; `wrote` is whether something was to be stored."""

    reply: Reply
    refused: bool = False
    wrote: bool = False


class Carrier:
    """Carries replies of one workspace. What goes out after the acknowledgement runs in the background."""

    def __init__(
        self,
        *,
        port: SlackPort,
        responder: Responder,
        homes: HomePublisher,
        background: Background,
        owe_word: OweWord,
    ) -> None:
        self._port = port
        self._responder = responder
        self._homes = homes
        self._background = background
        self._owe_word = owe_word

    async def acknowledge(self, incoming: Incoming, outcome: Outcome) -> Acknowledgement:
        """The acknowledgement's body; what does not fit in it goes out at once or right after."""
        reply = outcome.reply
        match reply:
            case Options():
                return {"options": list(reply.options)}
            case _ if incoming.where is Where.OPTIONS:
                return {"options": []}
            case Tell(message=message) if incoming.where is Where.HOME and not (outcome.wrote or outcome.refused):
                return await self.acknowledge(incoming, Outcome(OpenForm(answers.message_view(message))))
            case FieldErrors():
                return {"response_action": "errors", "errors": answers.beside_fields(incoming, reply.problems)}
            case OpenForm(view=view):
                apology = await self._open(incoming, view)
                return await self.acknowledge(incoming, Outcome(apology, refused=True)) if apology else None
            case UpdateForm() if incoming.where is Where.FORM:
                return {"response_action": "update", "view": reply.view}
            case Tell(message=message) | Redraw(message=message) if incoming.where is Where.FORM:
                if incoming.response_url and not outcome.refused:
                    self._background.keep(self._deliver(incoming, reply))
                    return None
                return answers.in_form(message)
            case Tell(message=message) | Redraw(message=message) if incoming.where is Where.COMMAND:
                return answers.private(message)
            case Nothing():
                return None
            case _:
                self._background.keep(self._deliver(incoming, reply))
                return None

    async def still_working(self, incoming: Incoming) -> Window:
        """Say so to somebody whose acknowledgement has no room for it; the window that says it, if one does."""
        match incoming.where:
            case Where.HOME:
                await self._homes.show(incoming.person_id, notice=answers.STILL_WORKING)
            case Where.MESSAGE | Where.EPHEMERAL:
                await self._responder.send(incoming.response_url, answers.beside(answers.STILL_WORKING))
            case Where.SHORTCUT:
                # Opened now, while Slack's permission lasts, the window takes whatever comes of it later.
                view = answers.message_view(answers.STILL_WORKING)
                return await self._window("views.open", trigger_id=incoming.trigger_id, view=view)
            case Where.MODAL:
                view = refilled(incoming.view, [answers.STILL_WORKING.text])
                return await self._window("views.update", **_of_window(incoming.view), view=view)
            case Where.FORM:
                await asyncio.sleep(DRAWING_SECONDS)
        return {}

    async def late(self, incoming: Incoming, outcome: Outcome, after: Awaitable[Window]) -> None:
        """The result of what took too long, to the form or conversation it came from; `after` the word that it does."""
        if window := await after:
            await self._late_in(window, incoming, outcome.reply)
            return
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
            await self._responder.send(incoming.response_url, answers.beside(reply.message, incoming.thread_ts))
        else:
            await self._deliver(incoming, reply)

    async def _late_in(self, window: Window, incoming: Incoming, reply: Reply) -> None:
        """The result in place of "Still working" in a window: the form a shortcut asked for, or a form's button in."""
        if incoming.where is Where.MODAL and isinstance(reply, OpenForm | Nothing):
            # The form stays as it is, below what was opened; where that came too late, it says so.
            apology = await self._open(incoming, reply.view) if isinstance(reply, OpenForm) else None
            view = refilled(incoming.view, [apology.message.text] if apology else [])
        else:
            view = answers.late_view(incoming, reply)
        is_shown = await self._call("views.update", **_of_window(window), view=view)
        if not is_shown and isinstance(reply, Tell | Redraw):
            # Closed meanwhile; then the words go to where it was opened from.
            await self._deliver(replace(incoming, where=Where.EPHEMERAL), Tell(reply.message))

    async def _deliver(self, incoming: Incoming, reply: Reply) -> None:
        """An answer that does not travel in the acknowledgement."""
        match reply, incoming.where:
            case (Nothing(), _) | (_, Where.OPTIONS):
                return
            case ((Tell(message=message) | Redraw(message=message)), Where.HOME):
                try:
                    await self._homes.show(incoming.person_id, notice=message)
                except DatabaseAway:
                    # Without the database there is no tab to put the words on.
                    await self._open(incoming, answers.message_view(message))
            case ((Tell(message=message) | Redraw(message=message)), Where.FORM) if not incoming.response_url:
                # Opened from where Slack gives no address to answer to: the Home tab is the place left.
                await self._homes.show(incoming.person_id, notice=message)
            case ShowHome(page=page), _:
                await self._homes.show(incoming.person_id, page=page)
            case ((Tell(message=message) | Redraw(message=message)), Where.MODAL):
                view = answers.message_view(message)
                await self._call("views.update", view_id=incoming.view.get("id"), view=view)
            case UpdateForm(view=view), _:
                await self._call("views.update", **_of_window(incoming.view), view=view)
            case ((Tell(message=message) | Redraw(message=message)), Where.SHORTCUT) if not incoming.response_url:
                view = answers.message_view(message)
                if not await self._call("views.open", trigger_id=incoming.trigger_id, view=view):
                    await self._owe_word(incoming.person_id, incoming.source_key, message.text)
            case Tell(message=message, redraw=redraw), _:
                if redraw is not None:
                    await self._responder.send(incoming.response_url, answers.instead(redraw))
                if not await self._responder.send(incoming.response_url, answers.beside(message, incoming.thread_ts)):
                    # A form may have been open for longer than Slack takes answers to where it was opened.
                    await self._owe_word(incoming.person_id, incoming.source_key, message.text)
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

    async def _window(self, method: str, **arguments: Any) -> Window:
        """The window that the call made or changed; none where Slack refuses."""
        try:
            answer = await self._port.call(method, **arguments)
        except SlackError as error:
            log.warning("%s: %s", method, error.code)
            return {}
        return answer.get("view") or {}

    async def _call(self, method: str, **arguments: Any) -> bool:
        """Call Slack, and say whether it did what was asked."""
        try:
            await self._port.call(method, **arguments)
        except SlackError as error:
            log.warning("%s: %s", method, error.code)
            return False
        return True


def _of_window(window: Window) -> dict[str, Any]:
    """Which window is meant, and in which state: Slack leaves one alone that somebody changed since."""
    return {"view_id": window.get("id"), "hash": window.get("hash")}
