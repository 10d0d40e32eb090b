"""Slash commands and shortcuts over Socket Mode, with a real Bolt app at the other end."""

import asyncio
from typing import Any

import pytest

from sandbox import Sandbox, SandboxError, Timing
from sandbox.seed import ANA, NETWORK
from tests.sandbox.workspace_support import (
    MANIFEST,
    actions,
    bolt,
    button,
    connected,
    modal,
    section,
    until,
)

QUICK = Timing(acknowledge=0.3, trigger=0.3, response_url=0.3)


async def test_an_answer_in_the_acknowledgement_is_shown_to_the_person_alone(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def repeat(ack: Any, command: Any) -> None:
        await ack(text=f"{command['user_name']} said {command['text']} in {command['channel_name']}")

    async with connected(app, sandbox):
        outcome = await sandbox.person("ana").command("#network", "/parrot", "hi @ben")

    (seen,) = sandbox.person("ana").ephemerals("#network")
    assert outcome.ok
    assert seen["text"] == "ana said hi <@U00000000BE|ben> in network"
    assert sandbox.person("ben").ephemerals("#network") == []


async def test_an_answer_in_the_channel_shows_the_typed_line_too(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def repeat(ack: Any) -> None:
        await ack(response_type="in_channel", blocks=[section("louder")], text="louder")

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#network", "/parrot", "hi")

    typed, answer = sandbox.person("ben").messages("#network")[-2:]
    assert (typed["user"], typed["text"]) == (ANA, "/parrot hi")
    assert (answer["user"], answer["text"]) == (sandbox.bot_user_id, "louder")


async def test_a_command_that_does_not_ask_for_entities_gets_plain_text(sandbox: Sandbox) -> None:
    app = bolt(sandbox)
    heard: list[str] = []

    @app.command("/raw")
    async def listen(ack: Any, command: Any) -> None:
        heard.append(command["text"])
        await ack()

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#network", "/raw", "hi @ben & <you>")

    assert heard == ["hi @ben & <you>"]
    assert sandbox.person("ana").ephemerals("#network") == []


async def test_an_unknown_command_and_a_foreign_channel_never_reach_the_app(sandbox: Sandbox) -> None:
    outcome = await sandbox.person("ana").command("#network", "/nothing", "x")

    assert outcome.notice == "/nothing is not a valid command."
    with pytest.raises(SandboxError, match="sees no conversation"):
        await sandbox.person("mia").command("#general", "/parrot")
    assert sandbox.deliveries == []


async def test_silence_is_shown_as_a_timeout() -> None:
    async with Sandbox(MANIFEST, timing=QUICK) as sandbox:
        app = bolt(sandbox)

        @app.command("/parrot")
        async def crash(ack: Any) -> None:
            raise ValueError("on purpose")

        async with connected(app, sandbox):
            outcome = await sandbox.person("ana").command("#network", "/parrot")

        assert not outcome.ok
        assert outcome.notice == '/parrot failed with the error "operation_timeout"'
        assert sandbox.deliveries[-1].outcome == "http_timeout"


async def test_nobody_there_is_shown_as_a_failed_dispatch(sandbox: Sandbox) -> None:
    outcome = await sandbox.person("ana").command("#network", "/parrot")

    assert outcome.notice == '/parrot failed with the error "dispatch_failed"'


async def test_an_answer_slack_refuses_is_shown_as_a_failure(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def nonsense(ack: Any) -> None:
        await ack(text="x", blocks=[{"type": "nonsense"}])

    async with connected(app, sandbox):
        outcome = await sandbox.person("ana").command("#network", "/parrot")

    assert outcome.notice == '/parrot failed with the error "invalid_blocks"'
    assert sandbox.person("ana").ephemerals("#network") == []


async def test_a_response_url_answers_five_times_and_then_no_more(sandbox: Sandbox) -> None:
    app = bolt(sandbox)
    statuses: list[int] = []

    @app.command("/parrot")
    async def chatter(ack: Any, respond: Any) -> None:
        await ack()
        for number in range(6):
            answer = await respond(f"number {number}")
            statuses.append(answer.status_code)

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#network", "/parrot")

    assert statuses == [200] * 5 + [404]
    assert [m["text"] for m in sandbox.person("ana").ephemerals("#network")] == [f"number {n}" for n in range(5)]


async def test_a_response_url_ends_after_its_time() -> None:
    async with Sandbox(MANIFEST, timing=Timing(response_url=0.0)) as sandbox:
        app = bolt(sandbox)
        answers: list[Any] = []

        @app.command("/parrot")
        async def late(ack: Any, respond: Any) -> None:
            await ack()
            answers.append(await respond("too late"))

        async with connected(app, sandbox):
            await sandbox.person("ana").command("#network", "/parrot")

        assert answers[0].status_code == 404
        assert "Expired url" in answers[0].body


async def test_a_response_url_can_speak_to_the_channel_and_to_a_thread(sandbox: Sandbox) -> None:
    app = bolt(sandbox)
    parent = sandbox.person("ana").messages("#network")[0]

    @app.command("/parrot")
    async def speak(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="to all", response_type="in_channel")
        await respond(text="in the thread", response_type="in_channel", thread_ts=parent["ts"], replace_original=False)

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#network", "/parrot")

    assert sandbox.person("ben").messages("#network")[-1]["text"] == "to all"
    assert sandbox.person("ben").thread("#network", parent["ts"])[-1]["text"] == "in the thread"


async def test_a_response_url_needs_no_membership(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def speak(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="from outside", response_type="in_channel")

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#steering", "/parrot")

    assert sandbox.person("ben").messages("#steering")[-1]["text"] == "from outside"


async def test_shortcuts_open_forms(sandbox: Sandbox) -> None:
    app = bolt(sandbox)
    seen: list[Any] = []

    @app.shortcut("new")
    async def new(ack: Any, shortcut: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal())

    @app.shortcut("repeat")
    async def repeat(ack: Any, shortcut: Any, respond: Any) -> None:
        await ack()
        seen.append(shortcut)
        await respond(f"again: {shortcut['message']['text']}")

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        message = ana.messages("#network")[0]
        await ana.message_shortcut("#network", message["ts"], "repeat")

    assert ana.modal is not None
    assert ana.modal["title"]["text"] == "A form"
    assert (seen[0]["channel"], seen[0]["message_ts"]) == ({"id": NETWORK, "name": "network"}, message["ts"])
    assert ana.ephemerals("#network")[0]["text"] == f"again: {message['text']}"
    with pytest.raises(SandboxError, match="no global shortcut"):
        await ana.shortcut("repeat")


async def test_several_connections_share_the_work_and_each_thing_comes_once(sandbox: Sandbox) -> None:
    heard: list[int] = []

    def listener(number: int) -> Any:
        app = bolt(sandbox)

        @app.command("/parrot")
        async def listen(ack: Any) -> None:
            heard.append(number)
            await ack()

        return app

    async with connected(listener(1), sandbox), connected(listener(2), sandbox):
        assert sandbox.connections == 2
        for _ in range(4):
            await sandbox.person("ana").command("#network", "/parrot")

    assert sorted(heard) == [1, 1, 2, 2]


async def test_the_app_comes_back_when_slack_asks_it_to(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def repeat(ack: Any) -> None:
        await ack("still here")

    async with connected(app, sandbox):
        opened = sum(call.method == "apps.connections.open" for call in sandbox.calls)
        await sandbox.refresh_connections()
        await until(lambda: sum(c.method == "apps.connections.open" for c in sandbox.calls) > opened)
        await until(lambda: sandbox.connections == 1)

        # For a moment the library may still answer through the connection that it is leaving.
        async with asyncio.timeout(100):
            while not (await sandbox.person("ana").command("#network", "/parrot")).ok:  # noqa: ASYNC110 - no signal of it
                await asyncio.sleep(0.1)


async def test_a_button_in_a_whisper_can_rewrite_and_remove_it(sandbox: Sandbox) -> None:
    app = bolt(sandbox)

    @app.command("/parrot")
    async def offer(ack: Any) -> None:
        await ack(text="choose", blocks=[section("choose"), actions(button("rewrite"), button("remove"))])

    @app.action("rewrite")
    async def rewrite(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="rewritten", blocks=[actions(button("remove"))], replace_original=True)

    @app.action("remove")
    async def remove(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.command("#network", "/parrot")
        first = ana.ephemerals("#network")[0]
        await ana.click(first, "rewrite")
        (second,) = ana.ephemerals("#network")
        await ana.click(second, "remove")

    assert (second["text"], second["ts"]) == ("rewritten", first["ts"])
    assert ana.ephemerals("#network") == []
