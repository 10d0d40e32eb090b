"""The page's own API, and how it is kept from strangers."""

import asyncio
import contextlib
import io
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError
from sandbox.forms import REQUIRED
from sandbox.seed import ANA, BEN, MIA, NETWORK, RANDOM
from tests.sandbox.raw_app import raw_app
from tests.sandbox.workspace_support import MANIFEST, actions, button, modal, plain
from tests.waiting import until

Json = dict[str, Any]


class Page:
    """What the page does, without a browser."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession, person: str = ANA) -> None:
        self.url, self.session, self.person = sandbox.url, session, person

    async def get(self, what: str, **query: str) -> Json:
        async with self.session.get(f"{self.url}/sandbox/{what}", params={"person": self.person, **query}) as response:
            answer: Json = await response.json()
            return answer

    async def do(self, what: str, **fields: Any) -> Json:
        body = {"person": self.person, "do": what, **fields}
        async with self.session.post(f"{self.url}/sandbox/do", json=body) as response:
            answer: Json = await response.json()
            return answer


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as running:
        yield running


@pytest.fixture
def page(sandbox: Sandbox, session: aiohttp.ClientSession) -> Page:
    return Page(sandbox, session)


async def test_boot_tells_the_page_what_it_shows(sandbox: Sandbox, page: Page) -> None:
    boot = await page.get("boot")

    assert boot["me"] == ANA
    assert [person["name"] for person in boot["people"] if not person["is_bot"]] == [
        "ana",
        "ben",
        "kavya",
        "tane",
        "mia",
        "omar",
    ]
    (app,) = boot["apps"]
    assert (app["name"], app["connected"], app["home"]) == ("Parrot", False, True)
    assert [command["command"] for command in app["commands"]] == ["/parrot", "/raw"]
    assert (app["global_shortcuts"][0]["callback_id"], app["message_shortcuts"][0]["callback_id"]) == ("new", "repeat")
    kinds = {conversation["name"]: conversation["kind"] for conversation in boot["conversations"]}
    assert kinds == {
        "general": "public",
        "network": "public",
        "random": "public",
        "steering": "private",
        "Parrot": "app_im",
    }
    assert boot["clock"]["next_monday"] >= boot["clock"]["next_morning"] > boot["clock"]["now"]


async def test_a_guest_sees_their_one_channel(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    boot = await Page(sandbox, session, MIA).get("boot")

    assert [c["name"] for c in boot["conversations"] if c["kind"] != "app_im"] == ["network"]
    hidden = await Page(sandbox, session, MIA).get("conversation", channel=RANDOM)
    assert hidden == {"ok": False, "notice": f"Mia Lopez sees no conversation {RANDOM}."}


async def test_words_of_one_are_unread_for_the_other(sandbox: Sandbox, page: Page, session: Any) -> None:
    await page.do("say", channel=NETWORK, text="hello @ben")
    ben = Page(sandbox, session, BEN)

    def network(boot: Json) -> Json:
        found: Json = next(c for c in boot["conversations"] if c["id"] == NETWORK)
        return found

    before = network(await ben.get("boot"))
    await ben.do("read", channel=NETWORK)
    after = network(await ben.get("boot"))

    assert (before["unread"], before["mentions"]) == (1, 1)
    assert (after["unread"], after["mentions"]) == (0, 0)
    assert network(await page.get("boot"))["unread"] == 0


async def test_everything_done_in_a_conversation_shows_there(sandbox: Sandbox, page: Page) -> None:
    said = await page.do("say", channel=NETWORK, text="first")
    await page.do("say", channel=NETWORK, text="reply", thread_ts=said["ts"])
    await page.do("react", channel=NETWORK, ts=said["ts"], name="eyes")
    await page.do("edit", channel=NETWORK, ts=said["ts"], text="second")

    seen = (await page.get("conversation", channel=NETWORK))["messages"][-1]
    thread = (await page.get("thread", channel=NETWORK, ts=said["ts"]))["messages"]

    assert (seen["text"], seen["reply_count"], seen["reactions"][0]["count"]) == ("second", 1, 1)
    assert [message["text"] for message in thread] == ["second", "reply"]
    await page.do("delete", channel=NETWORK, ts=said["ts"])
    assert (await page.get("conversation", channel=NETWORK))["messages"][-1]["text"] == "This message was deleted."


async def test_a_command_with_its_form_from_the_page(sandbox: Sandbox, page: Page, client: AsyncWebClient) -> None:
    async with raw_app(sandbox) as app:
        app.answers = lambda envelope: {"text": "only you"} if envelope["type"] == "slash_commands" else None
        assert await page.do("command", channel=NETWORK, command="/parrot", text="hi") == {"ok": True}
        (whisper,) = [m for m in (await page.get("conversation", channel=NETWORK))["messages"] if m.get("ephemeral")]
        await page.do("dismiss", channel=NETWORK, id=whisper["id"])

        await client.views_open(trigger_id=app.payloads("slash_commands")[0]["trigger_id"], view=modal())
        (view,) = (await page.get("views"))["modals"]
        empty = await page.do("submit", view_id=view["id"], state={})
        typed = {"title": {"typed": {"type": "plain_text_input", "value": "words"}}}
        sent = await page.do("submit", view_id=view["id"], state=typed)

        assert empty == {"ok": False, "errors": {"title": REQUIRED}}
        assert sent == {"ok": True}
        assert app.payloads("view_submission")[0]["view"]["state"]["values"] == typed
        assert (await page.get("views"))["modals"] == []
        assert "only you" not in str(await page.get("conversation", channel=NETWORK))


async def test_elements_of_messages_and_views_from_the_page(
    sandbox: Sandbox, page: Page, client: AsyncWebClient
) -> None:
    menu = {"type": "external_select", "action_id": "bird", "min_query_length": 0}
    posted = await client.chat_postMessage(channel=NETWORK, text="x", blocks=[actions(button("go", "1"), menu)])
    where = {"channel": NETWORK, "ts": posted["ts"]}
    option = {"text": plain("Macaw"), "value": "macaw"}
    async with raw_app(sandbox) as app:
        app.answers = lambda envelope: {"options": [option]}
        pressed = await page.do("action", where=where, block_id="row", action_id="go", state={})
        offered = await page.do("options", where=where, block_id="row", action_id="bird", value="m")
        chosen = await page.do("action", where=where, block_id="row", action_id="bird", element_value=option, state={})

        assert (pressed, chosen) == ({"ok": True}, {"ok": True})
        assert offered == {"ok": True, "options": [option]}
        assert app.payloads("block_actions")[1]["actions"][0]["selected_option"] == option
        gone = await page.do("action", where=where, block_id="row", action_id="no", state={})
        assert gone["ok"] is False


async def test_a_failed_command_is_a_notice_in_the_answer_and_live(sandbox: Sandbox, page: Page) -> None:
    async with listening(page) as heard:
        answer = await page.do("command", channel=NETWORK, command="/parrot")
        await until(lambda: any(event["type"] == "notice" for event in heard))

    notice = '/parrot failed with the error "dispatch_failed"'
    assert answer == {"ok": False, "notice": notice}
    assert {"type": "notice", "text": notice, "channel": NETWORK} in heard


@contextlib.asynccontextmanager
async def listening(page: Page) -> AsyncIterator[list[Json]]:
    """Live events of a page as they come."""
    heard: list[Json] = []
    async with page.session.get(f"{page.url}/sandbox/live", params={"person": page.person}) as response:
        assert response.content_type == "text/event-stream"
        await response.content.readuntil(b"\n\n")

        async def read() -> None:
            async for line in response.content:
                if line.startswith(b"data: "):
                    heard.append(json.loads(line[6:]))

        reading = asyncio.create_task(read())
        try:
            yield heard
        finally:
            reading.cancel()


async def test_pages_hear_what_concerns_their_person_only(sandbox: Sandbox, session: Any) -> None:
    async with listening(Page(sandbox, session, MIA)) as mia, listening(Page(sandbox, session, BEN)) as ben:
        await sandbox.person("ana").say("#steering", "secret")
        await sandbox.person("ana").say("#network", "open")
        await until(lambda: {"type": "conversation", "channel": NETWORK} in mia)

    assert [event["channel"] for event in mia if event["type"] == "conversation"] == [NETWORK]
    assert len([event for event in ben if event["type"] == "conversation"]) == 2


async def test_the_clock_is_moved_from_the_page(sandbox: Sandbox, page: Page) -> None:
    before = sandbox.clock.now()
    await page.do("advance", minutes=60)
    back = await page.do("advance_to", at=before.timestamp())
    boot = await page.get("boot")
    await page.do("next_morning")
    await page.do("next_monday")

    assert (sandbox.clock.now() - before).total_seconds() > 3600
    assert back == {"ok": False, "notice": "The clock only moves forward; that time has gone by."}
    assert sandbox.clock.now().timestamp() > boot["clock"]["next_monday"] - 1


async def test_calls_and_deliveries_can_be_looked_at(sandbox: Sandbox, page: Page, client: AsyncWebClient) -> None:
    await client.auth_test()
    await page.do("command", channel=NETWORK, command="/parrot")

    calls = (await page.get("calls"))["calls"]
    deliveries = (await page.get("deliveries"))["deliveries"]

    assert [(call["n"], call["method"]) for call in calls] == [(1, "auth.test")]
    assert [(each["kind"], each["outcome"]) for each in deliveries] == [("/parrot", "connection_failed")]
    assert (await page.get("calls", after="1"))["calls"] == []


async def test_a_file_from_the_page_is_shared_with_a_message(sandbox: Sandbox, page: Page) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"PNG", filename="a.png", content_type="image/png")
    async with page.session.post(f"{page.url}/sandbox/upload", params={"person": ANA}, data=form) as response:
        file_id = (await response.json())["file_id"]
    await page.do("say", channel=NETWORK, text="look", files=[file_id])

    seen = (await page.get("conversation", channel=NETWORK))["messages"][-1]
    async with page.session.get(seen["files"][0]["url_private"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"PNG")
        assert response.headers["Content-Disposition"] == "inline"


@pytest.mark.parametrize("body", [{"do": "nothing"}, {"do": "say"}, {"do": "say", "channel": "C0", "text": "x"}])
async def test_nonsense_is_answered_with_a_sentence(page: Page, body: Json) -> None:
    answer = await page.do(**{"what": body.pop("do"), **body})

    assert answer["ok"] is False
    assert answer["notice"]


# ---- strangers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/sandbox/boot", {"Host": "evil.example"}, 421),
        ("/", {"Host": "evil.example:80"}, 421),
        ("/sandbox/boot", {"Origin": "https://evil.example"}, 403),
        ("/sandbox/boot", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/sandbox/boot", {}, 200),
    ],
)
async def test_other_sites_are_turned_away(sandbox: Sandbox, path: str, headers: Any, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.get(sandbox.url + path, headers=headers) as response:
        assert response.status == status


async def test_another_site_cannot_act_as_somebody(sandbox: Sandbox, session: Any) -> None:
    body = {"person": ANA, "do": "say", "channel": NETWORK, "text": "not me"}
    async with session.post(
        f"{sandbox.url}/sandbox/do", data=json.dumps(body), headers={"Origin": "https://evil.example"}
    ) as response:
        assert response.status == 403

    assert "not me" not in str(sandbox.person("ana").messages("#network"))


async def test_the_page_may_load_only_its_own(sandbox: Sandbox, session: Any) -> None:
    async with session.get(f"{sandbox.url}/sandbox/boot") as response:
        policy = response.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'self'; img-src 'self' data: https:;")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_what_is_too_large_is_refused(sandbox: Sandbox, session: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(90):
            yield b"x" * 50_000

    async with session.post(f"{sandbox.url}/sandbox/do", data=io.BytesIO(b"x" * 4_500_000)) as response:
        assert response.status == 413
    async with session.post(f"{sandbox.url}/sandbox/do", data=chunks()) as response:
        assert response.status == 413


async def test_a_permalink_opens_in_the_page(sandbox: Sandbox, session: Any, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=NETWORK, text="x")
    link = (await client.chat_getPermalink(channel=NETWORK, message_ts=posted["ts"]))["permalink"]

    async with session.get(link, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/?channel={NETWORK}&ts={posted['ts']}"
    async with session.get(f"{sandbox.url}/archives/{NETWORK}/p1x", allow_redirects=False) as response:
        assert response.status == 404


async def test_it_ends_at_once_even_with_an_app_and_pages_open(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with contextlib.AsyncExitStack() as still_open, Sandbox(MANIFEST) as sandbox:
        await still_open.enter_async_context(raw_app(sandbox))
        await still_open.enter_async_context(listening(Page(sandbox, session)))

    # What does not end by itself is cut off after a second, with a word of it.
    assert "graceful shutdown exceeded" not in caplog.text


async def test_listening_beyond_this_machine_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with Sandbox(MANIFEST, host="0.0.0.0") as sandbox, aiohttp.ClientSession() as session:
            assert sandbox.url.startswith("http://127.0.0.1:")
            async with session.get(f"{sandbox.url}/sandbox/boot", headers={"Host": "evil.example"}) as response:
                assert response.status == 421
            async with session.get(f"{sandbox.url}/sandbox/boot", headers={"Host": "192.0.2.7:80"}) as response:
                assert response.status == 200

    assert "everyone who reaches it can act as anybody" in caplog.text


async def test_a_taken_port_is_told_in_a_sentence(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(SandboxError, match=f"cannot use 127.0.0.1:{port}"):
        async with Sandbox(MANIFEST, port=port):
            pass


def test_a_manifest_without_a_name_is_refused() -> None:
    with pytest.raises(SandboxError, match=r"display_information\.name"):
        Sandbox({})


async def test_what_goes_wrong_can_be_ordered_from_the_page(
    sandbox: Sandbox, page: Page, client: AsyncWebClient
) -> None:
    """And what makes no sense is refused."""
    ordered = await page.do("fail", method="chat.postMessage", error="is_archived", channel=NETWORK)
    refused = [await page.do("fail", drop="after"), await page.do("fail", method="auth.test", drop="sometimes")]

    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel=NETWORK, text="x")
    await client.chat_postMessage(channel=NETWORK, text="x")
    assert ordered["ok"]
    assert [answer["ok"] for answer in refused] == [False, False]


async def test_the_workspace_can_be_out_of_reach_for_a_while(sandbox: Sandbox, page: Page) -> None:
    """Connections are refused meanwhile; then everything is as it was."""
    port = int(sandbox.url.rpartition(":")[2])
    before = (await page.get("boot"))["me"]
    assert (await page.do("be_unreachable", seconds=0.5))["ok"]

    def is_refused() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) != 0

    await until(is_refused)
    await until(lambda: not is_refused())
    assert (await page.get("boot"))["me"] == before
