"""A person for tests and scripts: plain values in, what they see out. Everything goes through the real protocol."""

from __future__ import annotations

from typing import Any

from sandbox.blocks import Held, held
from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.forms import HOLDERS, carried_over, options_of, plain_entry
from sandbox.interactions import Outcome, Place
from sandbox.membership import app_channel
from sandbox.objects import message_object, view_object
from sandbox.people import Person
from sandbox.workspace import Channel, File, Json, User, View


class Driver(Person):
    """One person, driven by a program. Messages come back in Slack's shape, with `channel` added."""

    def __init__(self, core: Core, user: User) -> None:
        super().__init__(core, user)
        self.form_errors: dict[str, str] = {}
        self._offered: dict[tuple[str, str], list[Json]] = {}
        self._chosen: dict[tuple[str, str], Json] = {}

    # ---- what they see --------------------------------------------------------------------------------------------

    def messages(self, channel: str) -> list[Json]:
        """The conversation, oldest first, without replies in threads."""
        room = self.channel(channel)
        shown = (m for m in room.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"] or "subtype" in m)
        return [_seen(room, message) for message in shown]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """A message and its replies, oldest first."""
        room = self.channel(channel)
        return [_seen(room, message) for message in room.thread(ts)]

    def ephemerals(self, channel: str) -> list[Json]:
        """Messages only this person sees there, oldest first."""
        room = self.channel(channel)
        shown = (e for e in self.core.workspace.ephemerals if (e.user, e.channel) == (self.id, room.id))
        return [{**e.message, "channel": room.id, "ephemeral": True, "id": e.id} for e in shown]

    def app_messages(self) -> list[Json]:
        """The direct conversation with the app, oldest first."""
        return self.messages(app_channel(self.core, self.id).id)

    @property
    def modals(self) -> list[Json]:
        """Open modals, bottom first, each with its state."""
        return [view_object(view) for view in self.core.workspace.stack(self.id)]

    @property
    def modal(self) -> Json | None:
        """The modal in front, if one is open."""
        modals = self.modals
        return modals[-1] if modals else None

    @property
    def home(self) -> Json | None:
        """The app's Home tab, once published."""
        home = self.core.workspace.homes.get(self.id)
        return view_object(home) if home else None

    # ---- what they do ---------------------------------------------------------------------------------------------

    async def say(self, channel: str, text: str, thread_ts: str | None = None, files: list[File] | None = None) -> Json:
        """Write into a conversation or a thread; the message as it stands there."""
        message = await super().say(channel, text, thread_ts, files)
        return _seen(self.channel(channel), message)

    async def click(self, message: Json, action_id: str, value: Any = None) -> Outcome:
        """Press a button or choose in a menu of a message (as given by messages(), thread() or ephemerals()).

        What was chosen in it before is part of the state the app gets, as on a screen.
        """
        where = {"channel": message["channel"], "ts": message["ts"], "ephemeral_id": message.get("id")}
        place = self.place(where)
        key = (message["channel"], message["ts"])
        state = carried_over(place.blocks, self._chosen.get(key, {}))
        item = _pick(held(place.blocks), action_id, value)
        if item.kind in HOLDERS:
            state[item.block_id][item.action_id] = plain_entry(item, value, self._options_for(item))
        self._chosen[key] = state
        return await self._use(place, action_id, value, state)

    async def click_view(self, action_id: str, value: Any = None) -> Outcome:
        """Use an element of the modal in front."""
        view = self._top()
        return await self._use(Place(view=view), action_id, value, view.values)

    async def click_home(self, action_id: str, value: Any = None) -> Outcome:
        """Use an element of the app's Home tab."""
        home = self.core.workspace.homes.get(self.id)
        if home is None:
            raise SandboxError(f"{self.core.app.name} has published no Home tab for {self.user.real_name}.")
        return await self._use(Place(view=home), action_id, value, home.values)

    async def submit(self, fields: dict[str, Any] | None = None) -> Outcome:
        """Fill the modal in front (block_id -> plain value) and press its button. Other fields keep what they hold.

        Errors beside fields are in `form_errors` afterwards, and in the outcome.
        """
        view = self._top()
        if view.body.get("submit") is None:
            raise SandboxError("This modal has no button to submit it.")
        outcome = await self.submit_view(view, self._filled(view, fields or {}))
        self.form_errors = outcome.errors
        return outcome

    def fill(self, fields: dict[str, Any]) -> None:
        """Type into the modal in front (block_id -> plain value) and press nothing yet."""
        view = self._top()
        view.values = self._filled(view, fields)

    async def options(self, action_id: str, typed: str = "") -> list[Json]:
        """Type into a menu of the modal in front that the app fills; the options it offers."""
        view = self._top()
        item = _pick(held(view.body["blocks"]), action_id, None)
        outcome = await self.ask_options(Place(view=view), item.block_id, action_id, typed)
        if not isinstance(outcome.body, dict) or not outcome.ok:
            raise SandboxError(outcome.notice or "The app offered no options.")
        offered = options_of(outcome.body)
        self._offered[item.block_id, item.action_id] = offered
        return offered

    async def _use(self, place: Place, action_id: str, value: Any, state: Json) -> Outcome:
        item = _pick(held(place.blocks), action_id, value)
        if item.kind == "overflow":
            told: Any = _overflow_option(item, value)
        elif item.kind in HOLDERS:
            told = plain_entry(item, value, self._options_for(item))[HOLDERS[item.kind].key]
        else:
            told = None
        return await self.act(place, item.block_id, item.action_id, told, state)

    def _filled(self, view: View, fields: dict[str, Any]) -> Json:
        state = {block: dict(actions) for block, actions in view.values.items()}
        for block_id, value in fields.items():
            item = _only(view, block_id)
            state[block_id] = {item.action_id: plain_entry(item, value, self._options_for(item))}
        return state

    def _options_for(self, item: Held) -> list[Json]:
        return self._offered.get((item.block_id, item.action_id), [])

    def _top(self) -> View:
        stack = self.core.workspace.stack(self.id)
        if not stack:
            raise SandboxError(f"{self.user.real_name} has no modal open.")
        return stack[-1]


def _seen(channel: Channel, message: Json) -> Json:
    return {**message_object(channel, message), "channel": channel.id}


def _pick(items: Any, action_id: str, value: Any) -> Held:
    """The element of this action_id; of several the one with this value, or entry of a menu. Raises SandboxError."""
    everything = list(items)
    found: list[Held] = [item for item in everything if item.action_id == action_id]
    if not found:
        there = ", ".join(item.action_id for item in everything) or "nothing to use"
        raise SandboxError(f'There is no element "{action_id}" here; there is: {there}.')
    with_value = [item for item in found if value is not None and value in _values(item.element)]
    return with_value[0] if with_value else found[0]


def _values(element: Json) -> list[Any]:
    """What pressing the element may send: a button's value, or those of the entries of a ⋯ menu."""
    if element["type"] != "overflow":
        return [element.get("value")]
    return [option.get("value") for option in element["options"]]


def _only(view: View, block_id: str) -> Held:
    for item in held(view.body["blocks"]):
        if item.block_id == block_id and item.kind in HOLDERS:
            return item
    there = ", ".join(item.block_id for item in held(view.body["blocks"]) if item.kind in HOLDERS)
    raise SandboxError(f'The modal has no field "{block_id}"; it has: {there or "none"}.')


def _overflow_option(item: Held, value: Any) -> Json:
    for option in item.element["options"]:
        if option.get("value") == value:
            return dict(option)
    raise SandboxError(f'The menu "{item.action_id}" has no entry with the value "{value}".')
