"""A small made-up Slack app, "Lunch Club", that uses what a page must be able to show and do.

It knows nothing but Slack: it is an ordinary Bolt app in Socket Mode that is pointed at the workspace's addresses.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox

Json = dict[str, Any]

MANIFEST: Json = {
    "display_information": {"name": "Lunch Club", "description": "Finds a table for everyone."},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "lunch-club"},
        "slash_commands": [
            {
                "command": "/lunch",
                "description": "Suggest a lunch",
                "usage_hint": "[where] [when]",
                "should_escape": True,
            },
            {"command": "/order", "description": "Order for the whole table"},
            {"command": "/gallery", "description": "Show every kind of block"},
            {"command": "/slow", "description": "Never answers"},
        ],
        "shortcuts": [
            {"name": "Plan a lunch", "type": "global", "callback_id": "plan", "description": "Opens the form"},
            {"name": "Remember this", "type": "message", "callback_id": "remember", "description": "Keeps a message"},
        ],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "commands",
                "chat:write",
                "im:write",
                "im:history",
                "app_mentions:read",
                "channels:read",
                "users:read",
                "files:read",
                "files:write",
                "reactions:read",
                "reactions:write",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {"bot_events": ["app_home_opened", "app_mention", "message.im"]},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str, text: str | None = None) -> Json:
    return {"text": plain(text or value.title()), "value": value}


def button(action_id: str, text: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def field(block_id: str, label: str, element: Json, **more: Any) -> Json:
    """An input block whose element has the action id "value"."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": "value", **element},
        **more,
    }


DISHES = ["soup", "salad", "curry", "pasta", "tacos", "dumplings"]


def lunch_card(where: str, going: list[str]) -> list[Json]:
    names = ", ".join(f"<@{one}>" for one in going) or "Nobody yet"
    ask = {
        "title": plain("Cancel the lunch?"),
        "text": mrkdwn("*Everyone* who is going will be told."),
        "confirm": plain("Cancel it"),
        "deny": plain("Keep it"),
        "style": "danger",
    }
    menu = {"type": "overflow", "action_id": "more", "options": [option("move", "Move it"), option("copy", "Copy it")]}
    return [
        {
            "type": "section",
            "block_id": "what",
            "text": mrkdwn(f"*Lunch:* {where}\n_Going:_ {names}"),
            "accessory": menu,
        },
        {
            "type": "actions",
            "block_id": "answers",
            "elements": [
                button("go", "I'm going", style="primary", value=where),
                button("cancel", "Cancel", style="danger", confirm=ask),
                {"type": "users_select", "action_id": "bring", "placeholder": plain("Bring someone")},
                {"type": "datepicker", "action_id": "day", "placeholder": plain("Day")},
            ],
        },
        {"type": "context", "elements": [mrkdwn("Ends <!date^1795600800^{date_short} at {time}|soon> :hourglass:")]},
    ]


def choices(kind: str, *values: str, **more: Any) -> Json:
    return {"type": kind, "options": [option(value) for value in values], **more}


def drinks() -> Json:
    warm = {"label": plain("Warm"), "options": [option("tea"), option("coffee")]}
    cold = {"label": plain("Cold"), "options": [option("water"), option("juice")]}
    return {"type": "multi_static_select", "option_groups": [warm, cold], "max_selected_items": 2}


# block id, label, element: one of every kind of field
FIELDS: list[tuple[str, str, Json]] = [
    ("title", "Title", {"type": "plain_text_input", "min_length": 3, "max_length": 40, "placeholder": plain("One")}),
    ("notes", "Notes", {"type": "plain_text_input", "multiline": True}),
    ("guests", "Number of guests", {"type": "number_input", "is_decimal_allowed": False, "max_value": "12"}),
    ("email", "Email of the place", {"type": "email_text_input"}),
    ("link", "Link to the menu", {"type": "url_text_input"}),
    ("rich", "Message to the cook", {"type": "rich_text_input"}),
    ("dish", "Dish", choices("static_select", *DISHES)),
    ("drinks", "Drinks", drinks()),
    ("place", "Place", {"type": "external_select", "min_query_length": 2}),
    ("host", "Host", {"type": "users_select"}),
    ("company", "Company", {"type": "multi_users_select"}),
    ("channel", "Channel", {"type": "channels_select"}),
    ("rooms", "Tell", {"type": "multi_conversations_select", "default_to_current_conversation": True}),
    ("day", "Day", {"type": "datepicker", "initial_date": "2026-12-01"}),
    ("start", "Start", {"type": "timepicker", "initial_time": "12:30", "timezone": "Europe/Berlin"}),
    ("until", "Order until", {"type": "datetimepicker"}),
    ("extras", "Extras", choices("checkboxes", "bread", "dessert")),
    ("pay", "Who pays", choices("radio_buttons", "each", "host", initial_option=option("each"))),
    ("size", "Size of the table", choices("static_select", "small", "large")),
    ("papers", "Papers", {"type": "file_input", "max_files": 2}),
]
REQUIRED = {"title", "guests", "dish", "day", "pay"}
MORE: dict[str, Json] = {"title": {"hint": plain("Everyone sees this")}, "size": {"dispatch_action": True}}


def order_form(note: str | None = None) -> Json:
    """A modal with every kind of field, the notes filled in."""
    fields = [
        field(block_id, label, element, optional=block_id not in REQUIRED, **MORE.get(block_id, {}))
        for block_id, label, element in FIELDS
    ]
    if note is not None:
        fields[1]["element"]["initial_value"] = note
    intro = {"type": "section", "text": mrkdwn("Fill in *what you know*. The rest can wait.")}
    steps = {"type": "actions", "block_id": "steps", "elements": [button("step", "Add a guest")]}
    return {
        "type": "modal",
        "callback_id": "order",
        "title": plain("Order lunch"),
        "submit": plain("Order"),
        "close": plain("Cancel"),
        "blocks": [intro, *fields, steps],
    }


def guest_form() -> Json:
    name = field("guest", "Name of the guest", {"type": "plain_text_input"})
    return {
        "type": "modal",
        "callback_id": "guest",
        "title": plain("A guest"),
        "submit": plain("Add"),
        "blocks": [name],
    }


def home(count: int) -> Json:
    blocks = [
        {"type": "header", "text": plain("Your lunches")},
        {"type": "section", "text": mrkdwn(f"You have counted to *{count}*.")},
        {"type": "actions", "elements": [button("count", "Count on", style="primary")]},
        {"type": "divider"},
        field("wish", "A wish", {"type": "plain_text_input"}, dispatch_action=True),
    ]
    return {"type": "home", "blocks": blocks}


class LunchClub:
    """The app's listeners, and what they have heard, for tests to look at."""

    def __init__(self, sandbox: Sandbox) -> None:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        self.app = AsyncApp(client=client, signing_secret=sandbox.signing_secret)
        self.bot_token = sandbox.bot_token
        self.heard: list[Json] = []
        self.submitted: list[Json] = []
        self.gallery: list[Json] = []
        self.count = 0
        self.going: list[str] = []
        self._listen()

    def _listen(self) -> None:
        app = self.app
        app.command("/lunch")(self.lunch)
        app.command("/order")(self.order)
        app.command("/gallery")(self.show_gallery)
        app.command("/slow")(self.slow)
        app.shortcut("plan")(self.order)
        app.shortcut("remember")(self.remember)
        app.action("go")(self.go)
        app.action("cancel")(self.cancel)
        app.action("step")(self.add_guest)
        app.action("count")(self.count_on)
        app.action({"action_id": "value", "block_id": "size"})(self.heard_action)
        for action_id in ("more", "bring", "day", "value"):
            app.action(action_id)(self.heard_action)
        app.options("value")(self.places)
        app.view("order")(self.ordered)
        app.view("guest")(self.guest_added)
        app.view_closed(re.compile(""))(self.closed)
        app.event("app_home_opened")(self.home_opened)
        app.event("app_mention")(self.mentioned)
        app.event("message")(self.mentioned)

    async def lunch(self, ack: Any, body: Json, say: Any) -> None:
        self.heard.append(body)
        await ack(text=f"Suggested *{body['text'] or 'the canteen'}*.")
        await say(text=f"Lunch: {body['text']}", blocks=lunch_card(body["text"] or "the canteen", self.going))

    async def order(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self.heard.append(body)
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=order_form())

    async def remember(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=order_form(note=body["message"]["text"]))

    async def show_gallery(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        for blocks in self.gallery:
            await client.chat_postMessage(channel=body["channel_id"], text="Gallery", blocks=blocks["blocks"])

    async def slow(self, body: Json) -> None:
        self.heard.append(body)

    async def go(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self.heard.append(body)
        await ack()
        self.going.append(body["user"]["id"])
        card = lunch_card(body["actions"][0]["value"], self.going)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Lunch", blocks=card)

    async def cancel(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        self.heard.append(body)
        await ack()
        await client.chat_delete(channel=body["channel"]["id"], ts=body["message"]["ts"])

    async def add_guest(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=guest_form())

    async def count_on(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        self.count += 1
        await client.views_publish(user_id=body["user"]["id"], view=home(self.count))

    async def heard_action(self, ack: Any, body: Json) -> None:
        self.heard.append(body)
        await ack()

    async def places(self, ack: Any, payload: Json) -> None:
        found = [
            name for name in ("Harbour Grill", "Harvest", "Noodle Bar") if payload["value"].lower() in name.lower()
        ]
        await ack(options=[option(name.lower().replace(" ", "-"), name) for name in found])

    async def ordered(self, ack: Any, body: Json, view: Json) -> None:
        values = view["state"]["values"]
        if values["title"]["value"]["value"] == "Nothing":
            await ack(response_action="errors", errors={"title": "Nothing is not a lunch."})
            return
        self.submitted.append(json.loads(json.dumps(body)))
        await ack()

    async def closed(self, ack: Any) -> None:
        await ack()

    async def guest_added(self, ack: Any, body: Json) -> None:
        self.submitted.append(body)
        await ack()

    async def home_opened(self, event: Json, client: AsyncWebClient) -> None:
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=home(self.count))

    async def mentioned(self, event: Json, say: Any) -> None:
        if event.get("subtype") is None:
            await say(text="You called?", thread_ts=event["ts"])


@asynccontextmanager
async def lunch_club(sandbox: Sandbox) -> AsyncIterator[LunchClub]:
    """The app, connected to the workspace."""
    club = LunchClub(sandbox)
    handler = AsyncSocketModeHandler(club.app, sandbox.app_token)
    handler.client.web_client.base_url = sandbox.api_url
    await handler.connect_async()
    try:
        yield club
    finally:
        await handler.close_async()
