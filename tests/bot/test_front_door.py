"""Ten thousand requests that Slack would not send: turned away in general words, with nothing of them in a log.

Forged, replayed, cut short and unreadable ones never get past the door; oddly shaped ones that are signed all the same
get past it, to the real Steward, and are no fault there either: no 5xx, and no stack trace.
"""

import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.types import ASGIApp, Message

from bot import bolt_app, web
from bot.incoming import Incoming
from bot.installed import InstalledWorkspaces
from bot.oauth import BACK, INSTALL, Installing
from bot.sealing import Seal, new_key
from bot.slack_port import SlackWebApi
from models import installations
from models.database import Database
from tests.scenarios.house import house_over_http

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
MARK = "Z3bra-that-nobody-else-writes"
FORM = b"application/x-www-form-urlencoded"
EVENTS = "/slack/events"
PAGES = (INSTALL, BACK)
PATHS = (EVENTS, EVENTS, EVENTS, *PAGES, *PAGES, f"{EVENTS}/", "/slack/events/../healthz", "/", "/\x00", "/healthz/x")
METHODS = ("POST", "POST", "POST", "POST", "PUT", "GET", "DELETE", "HEAD", "PATCH", "BREW")

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Asked:
    """One request; `parts` is the body as it arrives, and without an end the sender hangs up in the middle."""

    parts: tuple[bytes, ...]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    method: str = "POST"
    path: str = EVENTS
    query: bytes = b""
    ends: bool = True


@dataclass
class Answer:
    status: int = 0
    body: bytes = b""
    parts: list[Message] = field(default_factory=list)


async def ask(application: ASGIApp, asked: Asked) -> Answer:
    """The application's answer, spoken to as uvicorn speaks to it."""
    answer = Answer()
    coming: Iterator[Message] = iter(
        [
            *({"type": "http.request", "body": part, "more_body": True} for part in asked.parts),
            {"type": "http.request", "body": b"", "more_body": False} if asked.ends else {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Message:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        answer.status = message.get("status", answer.status)
        answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": asked.query,
        "root_path": "",
        "headers": list(asked.headers),
        "client": ("203.0.113.9", 4711),
        "server": ("127.0.0.1", 3000),
    }
    await application(scope, receive, send)
    return answer


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None, content_type: bytes = FORM) -> Asked:
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = (
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-slack-request-timestamp", stamp.encode()),
        (b"x-slack-signature", f"v0={digest}".encode()),
    )
    return Asked((body,), headers)


def command(chance: random.Random) -> bytes:
    words = {"command": "/action", "text": f"{MARK} {chance.random()}", "team_id": "T0001", "user_id": "U1"}
    return urlencode(words | {"trigger_id": f"1.2.{chance.random()}"}).encode()


def header(asked: Asked, name: bytes, value: bytes | None) -> Asked:
    """The request with that header as given, or without it."""
    others = tuple(pair for pair in asked.headers if pair[0] != name)
    return replace(asked, headers=others if value is None else (*others, (name, value)))


def query(chance: random.Random) -> bytes:
    """What may stand behind an address of the pages: parts of the way back from Slack, and noise."""
    values = [MARK, "", "a" * 600, f"<script>{MARK}</script>", noise(chance, 20).decode("latin-1")]
    names = ["code", "state", "error", "error_description", MARK]
    return urlencode([(chance.choice(names), chance.choice(values)) for _ in range(chance.randrange(5))]).encode()


def noise(chance: random.Random, most: int = 200) -> bytes:
    return bytes(chance.randrange(256) for _ in range(chance.randrange(most)))


def forged(chance: random.Random) -> Asked:
    """Something that is wrong with who sent it, when, or whether all of it came."""
    body = command(chance)
    good = signed(body)
    digits = dict(good.headers)[b"x-slack-signature"].decode()
    place = chance.randrange(3, len(digits))
    other = "0" if digits[place] != "0" else "1"
    stamps = (b"", b"now", b"-1", b"1e9", b"9" * 5000, "١٧٠٠٠٠٠٠٠٠".encode(), b"0x10", b" 1", b"nan", noise(chance, 20))
    name = chance.choice(["x-slack-signature", "x-slack-request-timestamp"]).encode()
    return chance.choice(
        [
            lambda: replace(good, headers=good.headers[:2]),
            lambda: header(good, name, None),
            lambda: header(good, b"x-slack-signature", f"{digits[:place]}{other}{digits[place + 1 :]}".encode()),
            lambda: header(good, b"x-slack-signature", digits[:place].encode()),
            lambda: header(good, b"x-slack-signature", digits.replace("v0", "v1").encode()),
            lambda: header(good, b"x-slack-signature", "v0=é∞".encode()),
            lambda: header(good, b"x-slack-signature", noise(chance)),
            lambda: header(good, b"x-slack-request-timestamp", chance.choice(stamps)),
            lambda: signed(body, secret=f"{SECRET}x"),
            lambda: signed(body, at=time.time() - chance.randint(310, 10**9)),
            lambda: signed(body, at=time.time() + chance.randint(310, 10**6)),
            lambda: replace(good, parts=(body[: chance.randrange(len(body))],)),
            lambda: replace(good, parts=(body, b"&team_id=T0002")),
            lambda: replace(good, parts=(body[:10],), ends=False),
            lambda: replace(good, parts=(body.replace(b"T0001", b"T0002"),)),
            lambda: header(good, b"content-length", chance.choice([b"-5", b"9" * 30, b"many", b"2000000"])),
            lambda: replace(good, parts=(b"x" * 400_000,) * 3),
            lambda: Asked((noise(chance), MARK.encode()), headers=((noise(chance, 9).lower(), noise(chance)),)),
        ]
    )()


def unreadable(chance: random.Random) -> Asked:
    """Well signed, and no object at all."""
    body = chance.choice(
        [
            b"",
            b"[]",
            b"{",
            b"null",
            b"0",
            b'"words"',
            b"payload=",
            b"payload=[]",
            b"payload=%7B",
            b"payload=null",
            b"\xff\xfe" + noise(chance),
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"payload=" + b"%5B" * 30_000,
        ]
    )
    return signed(body, content_type=chance.choice([FORM, b"application/json", b"text/plain", b"", noise(chance, 20)]))


@pytest.fixture
async def door(database: Database) -> tuple[ASGIApp, list[Incoming]]:
    """The web application with somebody behind it who notes what gets in."""
    let_in: list[Incoming] = []

    async def note(incoming: Incoming) -> dict[str, Any] | None:
        let_in.append(incoming)
        return {"text": "heard"}

    async def bot_user(workspace_id: str, enterprise_id: str) -> str:
        return "UBOT"

    bolt = bolt_app.build(note, bot_user, signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")
    installed = InstalledWorkspaces(
        database, Seal([new_key()]), SlackWebApi("", "http://127.0.0.1:9/api/"), SlackWebApi
    )
    pages = Installing(
        database,
        installed,
        client_id="1.2",
        public_url="https://steward.example",
        authorize_url="https://slack.com/oauth/v2/authorize",
    )
    return web.application(bolt, database, SECRET, pages=pages.routes()), let_in


async def test_nothing_forged_replayed_cut_short_or_unreadable_gets_in(
    door: tuple[ASGIApp, list[Incoming]], database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    application, let_in = door
    caplog.set_level(logging.DEBUG)
    chance = random.Random(2031)
    statuses: dict[int, int] = {}

    for number in range(9_500):
        asked = (forged if number % 3 else unreadable)(chance)
        if number % 5 == 0:
            asked = replace(asked, path=chance.choice(PATHS), method=chance.choice(METHODS), query=query(chance))
        answer = await ask(application, asked)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        # The pages are there for everybody; nobody gets further than to Slack by them.
        assert answer.status in (400, 401, 404, 405, 413, *((200, 303) if asked.path in PAGES else ())), (asked, answer)
        assert MARK.encode() not in answer.body
        assert len(answer.body) < 200 or asked.path in PAGES

    assert let_in == []
    assert set(statuses) >= {200, 303, 400, 401, 404, 405, 413}, statuses
    assert await installations.everywhere(database) == []
    assert MARK not in caplog.text
    assert "Traceback" not in caplog.text
    assert (await ask(application, signed(command(chance)))).status == 200, "the door still opens"


def odd(chance: random.Random, sample: Any) -> Any:
    """The payload with some of its parts gone, or of another shape."""
    if chance.random() < 0.06:
        return chance.choice(
            [None, [], {}, "", 0, -1, True, "x" * 5_000, [[]], {"id": None}, "U1", MARK, 1e308, "\x00"]
        )
    if isinstance(sample, Mapping):
        return {key: odd(chance, value) for key, value in sample.items() if chance.random() > 0.03}
    if isinstance(sample, list):
        return [odd(chance, value) for value in sample]
    return sample


WHO = {
    "team": {"id": "{team}"},
    "user": {"id": "{user}", "username": "ana", "team_id": "{team}"},
    "trigger_id": "1.2.a",
}
CHOSEN = {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": "high"}}
STATE = {"values": {"title": {"title": {"type": "plain_text_input", "value": MARK}}, "priority": {"priority": CHOSEN}}}
VIEW = {
    "id": "V1",
    "type": "modal",
    "hash": "1.a",
    "private_metadata": json.dumps({"kind": "action"}),
    "blocks": [],
    "state": STATE,
}
HELD = {
    "message": {"ts": "1.2", "text": MARK, "user": "{user}", "blocks": []},
    "channel": {"id": "{channel}", "name": "network"},
    "container": {"type": "message", "message_ts": "1.2", "channel_id": "{channel}"},
    "response_url": "http://127.0.0.1:9/x",
}


def pressed(name: str, **more: Any) -> dict[str, Any]:
    action = {"type": "button", "action_id": name, "block_id": "b", "value": "A1"}
    return {"type": "block_actions", **WHO, **HELD, "actions": [action | more]}


def told(**inner: Any) -> dict[str, Any]:
    ours = {"team_id": "{team}", "user_id": "{bot}", "is_bot": True}
    whole = {"type": "event_callback", "team_id": "{team}", "event_id": "Ev1", "authorizations": [ours]}
    return whole | {"event": inner}


SAMPLES: tuple[dict[str, Any], ...] = (
    *(
        pressed(name)
        for name in ("open", "edit", "step", "undo", "list", "select", "home", "settings", "standup:answer")
    ),
    pressed("more", type="overflow", selected_option={"value": "comment A1"}),
    *(
        {"type": "view_submission", **WHO, "view": VIEW | {"callback_id": name}}
        for name in ("create", "edit", "step", "settings", "paste", "import", "standup", "standup_answer", "move")
    ),
    {"type": "shortcut", **WHO, "callback_id": "log_anything"},
    {"type": "message_action", **WHO, **HELD, "callback_id": "log_message"},
    {"type": "block_suggestion", **WHO, "action_id": "project", "value": "net", "view": VIEW},
    told(type="app_mention", user="{user}", text=f"<@{{bot}}> risk {MARK}", ts="1.2", channel="{channel}"),
    told(type="message", channel_type="im", user="{user}", text=MARK, ts="1.2", channel="D1"),
    told(type="reaction_added", user="{user}", reaction="pushpin", item={"type": "message", "channel": "{channel}"}),
    told(type="member_joined_channel", user="{user}", channel="{channel}", channel_type="C"),
    told(type="channel_rename", channel={"id": "{channel}", "name": MARK}),
    told(type="user_change", user={"id": "{user}", "profile": {"real_name": "Ana"}, "tz": "Europe/Berlin"}),
    told(type="app_home_opened", user="{user}", tab="home", channel="D1"),
    {"command": "/action", "text": MARK, "team_id": "{team}", "user_id": "{user}", "channel_id": "{channel}"},
)


async def test_what_is_signed_but_oddly_shaped_is_no_fault_of_steward(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(2032)
    async with house_over_http(database_url) as house:
        sandbox = house.sandbox
        application = web.application(house.steward.bolt, house.steward.database, sandbox.signing_secret)
        ids = {"team": sandbox.team_id, "user": sandbox.person("ana").id, "bot": sandbox.bot_user_id}
        network = sandbox.workspace.find_channel("network")
        assert network is not None
        ids["channel"] = network.id
        faults = []

        for number in range(500):
            text = json.dumps(odd(chance, SAMPLES[number % len(SAMPLES)]))
            for key, value in ids.items():
                text = text.replace(f"{{{key}}}", value)
            payload = json.loads(text)
            if isinstance(payload, dict) and "command" in payload:
                body, kind = urlencode({key: str(value) for key, value in payload.items()}).encode(), FORM
            elif isinstance(payload, dict) and payload.get("type") == "event_callback":
                body, kind = text.encode(), b"application/json"
            else:
                body, kind = urlencode({"payload": text}).encode(), FORM
            answer = await ask(application, signed(body, secret=sandbox.signing_secret, content_type=kind))
            if answer.status >= 500:
                faults.append((answer.status, text))
        await house.settled()
        assert await ask(application, signed(b"payload=%7B%7D", secret=sandbox.signing_secret))

    assert faults == [], f"{len(faults)} of 500, such as {faults[0]}"
    assert "Traceback" not in caplog.text
