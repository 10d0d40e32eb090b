"""Socket Mode as it looks on the wire."""

import asyncio

import aiohttp
import pytest

from sandbox import Sandbox, Timing
from tests.sandbox.raw_app import connection_address, raw_app
from tests.sandbox.workspace_support import MANIFEST
from tests.waiting import until


async def test_hello_counts_connections(sandbox: Sandbox) -> None:
    async with raw_app(sandbox) as first, raw_app(sandbox) as second:
        assert [first.messages[0]["num_connections"], second.messages[0]["num_connections"]] == [1, 2]
        assert first.messages[0]["connection_info"] == {"app_id": sandbox.app.id}

    await until(lambda: sandbox.connections == 0)


async def test_an_address_opens_one_connection_only(sandbox: Sandbox) -> None:
    address = await connection_address(sandbox)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(address):
            pass
        for wrong in (address, address.partition("ticket=")[0] + "ticket=guess"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(wrong)


async def test_an_eleventh_connection_is_turned_away(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await connection_address(sandbox)) for _ in range(10)]
        await until(lambda: sandbox.connections == 10)

        extra = await session.ws_connect(await connection_address(sandbox))
        told = await extra.receive_json()

        assert (told["type"], told["reason"]) == ("disconnect", "too_many_websockets")
        assert (await extra.receive()).type is aiohttp.WSMsgType.CLOSE
        for socket in sockets:
            await socket.close()


async def test_an_old_connection_is_warned_and_then_closed() -> None:
    timing = Timing(short_connection_life=0.3, connection_warning=0.2)
    async with (
        Sandbox(MANIFEST, timing=timing) as sandbox,
        raw_app(sandbox, "&debug_reconnects=true") as app,
    ):
        await until(lambda: len(app.messages) == 3)
        await until(lambda: sandbox.connections == 0)

        assert [message.get("reason") for message in app.messages] == [None, "warning", "refresh_requested"]


async def test_what_is_not_acknowledged_before_the_connection_ends_has_failed(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(await connection_address(sandbox))
        await socket.receive_json()
        asked = asyncio.create_task(sandbox.person("ana").command("#network", "/parrot"))
        await socket.receive_json()
        await socket.close()

        assert (await asked).notice == '/parrot failed with the error "dispatch_failed"'


async def test_events_carry_their_retry_and_commands_may_be_answered(sandbox: Sandbox) -> None:
    async with raw_app(sandbox) as app:
        await sandbox.person("ana").say("#network", "hello")
        await sandbox.idle()
        await sandbox.person("ana").command("#network", "/parrot")

    event, command = app.envelopes
    assert (event["type"], event["retry_attempt"], event["retry_reason"]) == ("events_api", 0, "")
    assert (event["accepts_response_payload"], command["accepts_response_payload"]) == (False, True)
    assert "retry_attempt" not in command


async def test_an_event_is_sent_again_three_times_and_then_no_more() -> None:
    timing = Timing(acknowledge=0.1, retries=(0.0, 0.05, 0.05))
    async with Sandbox(MANIFEST, timing=timing) as sandbox, raw_app(sandbox) as app:
        app.silent = True
        await sandbox.person("ana").say("#network", "hello")
        await until(lambda: len(app.envelopes) == 4)
        await asyncio.sleep(0.3)

        assert [envelope["retry_attempt"] for envelope in app.envelopes] == [0, 1, 2, 3]
        assert {envelope["retry_reason"] for envelope in app.envelopes[1:]} == {"http_timeout"}
        assert len({envelope["payload"]["event_id"] for envelope in app.envelopes}) == 1


async def test_a_retry_waits_by_the_wall_clock_not_by_the_moved_one() -> None:
    timing = Timing(acknowledge=0.1, retries=(0.0, 60.0, 300.0))
    async with Sandbox(MANIFEST, timing=timing) as sandbox, raw_app(sandbox) as app:
        app.silent = True
        await sandbox.person("ana").say("#network", "hello")
        await until(lambda: len(app.envelopes) == 2)
        await sandbox.next_morning("ana")
        await asyncio.sleep(0.2)

        assert len(app.envelopes) == 2
