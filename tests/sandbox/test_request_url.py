"""Signed HTTP: commands, interactions and events posted to the app's request URL."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import Sandbox, SandboxError, Timing
from sandbox.request_url import sign
from tests.sandbox.workspace_support import MANIFEST, bolt_over_http, manifest, modal, serving
from tests.waiting import until

SAMPLE = Path(__file__).parents[3] / "shared/slack/payloads/slash_command.signed_request.json"


def test_a_signature_is_the_one_slack_documents() -> None:
    if not SAMPLE.exists():
        pytest.skip("the collected sample payloads are not beside this checkout")
    sample = json.loads(SAMPLE.read_text())

    made = sign(sample["signing_secret"], sample["headers"]["X-Slack-Request-Timestamp"], sample["body"].encode())

    assert made == sample["headers"]["X-Slack-Signature"]


async def test_bolt_takes_everything_over_http() -> None:
    events: list[str] = []

    def listen(app: AsyncApp) -> None:
        @app.command("/parrot")
        async def form(ack: Any, body: Any, client: Any) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=modal())
            await ack("opened")

        @app.view("form")
        async def submitted(ack: Any, view: Any) -> None:
            typed = view["state"]["values"]["title"]["typed"]["value"]
            await ack(response_action="errors", errors={"title": f"Not {typed}"})

        @app.event("app_mention")
        async def mentioned(event: Any, say: Any) -> None:
            events.append(event["text"])
            await say("here")

        @app.event("message")
        async def other() -> None:
            pass

    async with bolt_over_http(listen) as sandbox:
        ana = sandbox.person("ana")
        outcome = await ana.command("#network", "/parrot")
        await ana.submit({"title": "that"})
        await ana.say("#network", "@parrot?")
        await sandbox.idle()

        assert outcome.ok
        assert ana.ephemerals("#network")[0]["text"] == "opened"
        assert ana.form_errors == {"title": "Not that"}
        assert events == [f"<@{sandbox.bot_user_id}>?"]
        assert ana.messages("#network")[-1]["text"] == "here"
        assert await sandbox.verify_request_url()


async def test_a_wrong_secret_is_seen_as_a_failure() -> None:
    async with bolt_over_http(lambda app: None, signing_secret="another") as sandbox:
        outcome = await sandbox.person("ana").command("#network", "/parrot")

        assert (outcome.ok, outcome.status) == (False, 401)


class Endpoint:
    """An app that answers every post with what `answer` makes of it, and keeps the requests."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.seen: list[Request] = []

    async def __call__(self, request: Request) -> Any:
        await request.body()
        self.seen.append(request)
        made = self.answer(request)
        return await made if asyncio.iscoroutine(made) else made


def application(endpoint: Endpoint) -> Starlette:
    async def post(request: Request) -> Response:
        answer: Response = await endpoint(request)
        return answer

    return Starlette(routes=[Route("/{path:path}", post, methods=["POST", "GET"])])


async def test_a_failing_app_gets_the_event_again_with_number_and_reason() -> None:
    endpoint = Endpoint(lambda _: Response(status_code=500))
    async with (
        serving(application(endpoint)) as address,
        Sandbox(MANIFEST, request_url=f"{address}/slack", timing=Timing(retries=(0, 0.05, 0.1))) as sandbox,
    ):
        await sandbox.person("ana").say("#network", "hello")
        await until(lambda: len(endpoint.seen) == 4)

    tries = [(r.headers.get("x-slack-retry-num"), r.headers.get("x-slack-retry-reason")) for r in endpoint.seen]
    assert tries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_an_app_can_stop_retries() -> None:
    endpoint = Endpoint(lambda _: Response(status_code=500, headers={"X-Slack-No-Retry": "1"}))
    async with (
        serving(application(endpoint)) as address,
        Sandbox(MANIFEST, request_url=address, timing=Timing(retries=(0, 0.05, 0.1))) as sandbox,
    ):
        await sandbox.person("ana").say("#network", "hello")
        await sandbox.idle()
        await asyncio.sleep(0.2)

    assert len(endpoint.seen) == 1


@pytest.mark.parametrize(
    ("answer", "notice"),
    [
        (lambda _: PlainTextResponse("oops", 500), '/parrot failed with the error "dispatch_failed"'),
        (lambda _: Response(b"{}", media_type="application/json"), '/parrot failed with the error "no_text"'),
        (lambda r: RedirectResponse(str(r.url), 307), '/parrot failed with the error "dispatch_failed"'),
        (lambda _: PlainTextResponse("words"), None),
        (lambda _: Response(), None),
    ],
)
async def test_a_command_shows_what_the_answer_deserves(answer: Any, notice: str | None) -> None:
    endpoint = Endpoint(answer)
    async with serving(application(endpoint)) as address, Sandbox(MANIFEST, request_url=f"{address}/x") as sandbox:
        outcome = await sandbox.person("ana").command("#network", "/parrot", "text")

        assert outcome.notice == notice
        assert len(endpoint.seen) >= 1
        assert endpoint.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_slow_app_has_three_seconds() -> None:
    async def slowly(_request: Request) -> Response:
        await asyncio.sleep(1)
        return Response()

    async with (
        serving(application(Endpoint(slowly))) as address,
        Sandbox(MANIFEST, request_url=address, timing=Timing(acknowledge=0.2)) as sandbox,
    ):
        outcome = await sandbox.person("ana").command("#network", "/parrot")

        assert Timing().acknowledge == 3
        assert outcome.notice == '/parrot failed with the error "operation_timeout"'


async def test_addresses_of_the_manifest_are_used_when_it_is_not_in_socket_mode() -> None:
    endpoint = Endpoint(lambda _: PlainTextResponse(""))
    async with serving(application(endpoint)) as address:
        own = manifest()
        own["settings"] |= {"socket_mode_enabled": False}
        own["settings"]["event_subscriptions"]["request_url"] = f"{address}/events"
        own["settings"]["interactivity"]["request_url"] = f"{address}/interactions"
        own["features"]["slash_commands"][0]["url"] = f"{address}/commands"
        async with Sandbox(own) as sandbox:
            ana = sandbox.person("ana")
            await ana.say("#network", "hello")
            await ana.command("#network", "/parrot")
            await ana.shortcut("new")
            await sandbox.idle()

    assert sorted(request.url.path for request in endpoint.seen) == ["/commands", "/events", "/interactions"]


async def test_socket_mode_has_no_request_url_to_verify(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="Socket Mode"):
        await sandbox.verify_request_url()
