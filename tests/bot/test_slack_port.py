"""The real port against a local HTTP double: what it sends, and how it sorts every kind of answer and silence."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest

from bot.slack_port import SlackError, SlackNotSent, SlackPermanent, SlackRefused, SlackUnknown, SlackWebApi


def http(body: str, *, status: int = 200, kind: str = "application/json; charset=utf-8", headers: str = "") -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {status} Something\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    return head.encode() + data


def refusal(code: str, **more: object) -> bytes:
    return http(json.dumps({"ok": False, "error": code, **more}))


DROP = b""
HANG = None
GOOD = http('{"ok": true, "channel": "C1", "ts": "1.1"}')


@dataclass
class Double:
    """Answers each request with `answer`: bytes as they are, empty to hang up, None to say nothing for long."""

    answer: bytes | None = GOOD
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        fields = {key: values[0] for key, values in parse_qs(body).items()}
        self.requests.append((head[0].split()[1], headers, fields))
        if self.answer is None:
            await reader.read()  # until the client gives up
        else:
            writer.write(self.answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
async def address(double: Double) -> AsyncIterator[str]:
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"
    server.close()
    await server.wait_closed()


@pytest.fixture
async def port(address: str) -> AsyncIterator[SlackWebApi]:
    opened = SlackWebApi("xoxb-1", address, timeout=30)
    yield opened
    await opened.close()


@pytest.fixture
async def hasty_port(address: str) -> AsyncIterator[SlackWebApi]:
    """A port that waits a moment only: for answers that never come."""
    opened = SlackWebApi("xoxb-1", address, timeout=0.3)
    yield opened
    await opened.close()


async def result_of(port: SlackWebApi) -> SlackError:
    with pytest.raises(SlackError) as caught:
        await port.call("chat.postMessage", channel="C1", text="hello")
    return caught.value


async def test_a_good_answer_is_handed_back_as_it_is(port: SlackWebApi) -> None:
    assert await port.call("chat.postMessage", channel="C1", text="x") == {"ok": True, "channel": "C1", "ts": "1.1"}


async def test_each_answer_says_what_the_token_may_do(port: SlackWebApi, double: Double) -> None:
    assert port.scopes == frozenset()

    for granted in ("chat:write", "chat:write,files:read"):
        double.answer = http('{"ok": true}', headers=f"x-oauth-scopes: {granted}\r\n")
        await port.call("auth.test")

        assert port.scopes == set(granted.split(","))


async def test_a_call_is_a_form_with_the_token_beside_it_and_nested_values_as_json(
    port: SlackWebApi, double: Double
) -> None:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": "Größe <&>"}}]
    await port.call("chat.postMessage", channel="C1", text="a & b", blocks=blocks, unfurl_links=False, thread_ts=None)

    [(path, headers, fields)] = double.requests
    assert path == "/api/chat.postMessage"
    assert headers["authorization"] == "Bearer xoxb-1"
    assert headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert json.loads(fields.pop("blocks")) == blocks
    assert fields == {"channel": "C1", "text": "a & b", "unfurl_links": "false"}


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal("ratelimited"), SlackNotSent, "ratelimited"),
        (http('{"ok": false, "error": "ratelimited"}', status=429), SlackNotSent, "ratelimited"),
        (http("slow down", status=429, kind="text/html"), SlackNotSent, "ratelimited"),
        (refusal("not_in_channel"), SlackPermanent, "not_in_channel"),
        (refusal("channel_not_found"), SlackPermanent, "channel_not_found"),
        (refusal("is_archived"), SlackPermanent, "is_archived"),
        (refusal("account_inactive"), SlackPermanent, "account_inactive"),
        (refusal("token_revoked"), SlackPermanent, "token_revoked"),
        (refusal("invalid_auth"), SlackPermanent, "invalid_auth"),
        (refusal("missing_scope", needed="chat:write"), SlackPermanent, "missing_scope"),
        (refusal("msg_too_long"), SlackPermanent, "msg_too_long"),
        (refusal("invalid_blocks"), SlackPermanent, "invalid_blocks"),
        (refusal("expired_trigger_id"), SlackRefused, "expired_trigger_id"),
        (refusal("internal_error"), SlackUnknown, "internal_error"),
        (refusal("fatal_error"), SlackUnknown, "fatal_error"),
        (http('{"ok": false, "error": "not_in_channel"}', status=500), SlackUnknown, "http_500"),
        (http("<html>Bad gateway</html>", status=502, kind="text/html"), SlackUnknown, "http_502"),
        (http("<html>Hello</html>", kind="text/html"), SlackUnknown, "http_200"),
        (http("ok", kind="text/plain"), SlackUnknown, "no answer: AttributeError"),
        (http("{not json"), SlackUnknown, "http_200"),
        (http("[]"), SlackUnknown, "http_200"),
        (http("[1]"), SlackUnknown, "no answer: AttributeError"),
        (http("{}"), SlackUnknown, "http_200"),
        (http('{"ok": false}'), SlackUnknown, "http_200"),
        (b"\x00\x01garbage\r\n\r\n", SlackUnknown, None),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{", SlackUnknown, None),
        (DROP, SlackUnknown, "no answer: ServerDisconnectedError"),
    ],
)
async def test_every_answer_says_what_is_known_of_the_call(
    port: SlackWebApi, double: Double, answer: bytes | None, kind: type[SlackError], code: str | None
) -> None:
    double.answer = answer

    error = await result_of(port)

    assert type(error) is kind
    assert code in (None, error.code)


async def test_of_a_call_that_is_not_answered_nothing_is_known_and_it_is_tried_once(
    hasty_port: SlackWebApi, double: Double
) -> None:
    double.answer = HANG

    error = await result_of(hasty_port)

    assert type(error) is SlackUnknown
    assert error.code == "no answer: TimeoutError"
    assert len(double.requests) == 1


@pytest.mark.parametrize("answer", [DROP, http("", status=500), http("{}", status=429), refusal("fatal_error")])
async def test_a_call_is_tried_once_whatever_happens(port: SlackWebApi, double: Double, answer: bytes | None) -> None:
    double.answer = answer

    await result_of(port)

    assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("Retry-After: 30\r\n", 30.0), ("", None), ("Retry-After: soon\r\n", None)]
)
async def test_the_time_slack_asks_for_is_handed_on(
    port: SlackWebApi, double: Double, header: str, seconds: float | None
) -> None:
    double.answer = http('{"ok": false, "error": "ratelimited"}', status=429, headers=header)

    error = await result_of(port)

    assert isinstance(error, SlackNotSent)
    assert error.retry_after == seconds


async def test_slacks_explanations_are_kept(port: SlackWebApi, double: Double) -> None:
    double.answer = refusal("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field"]})

    error = await result_of(port)

    assert isinstance(error, SlackRefused)
    assert error.messages == ("[ERROR] missing required field",)


def refused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api/"


def unknown_name() -> str:
    return "http://no-such-host.invalid/api/"


@pytest.mark.parametrize("address", [refused_address, unknown_name])
async def test_without_a_connection_surely_nothing_was_sent(address: Callable[[], str]) -> None:
    port = SlackWebApi("xoxb-1", address(), timeout=30)

    error = await result_of(port)
    await port.close()

    assert type(error) is SlackNotSent


async def test_each_call_has_a_connection_of_its_own(port: SlackWebApi, double: Double) -> None:
    for _ in range(2):
        await port.call("chat.postMessage", channel="C1", text="x")

    assert [headers.get("connection") for _, headers, _ in double.requests] == ["close", "close"]


async def test_neither_texts_nor_tokens_reach_the_log(
    port: SlackWebApi, hasty_port: SlackWebApi, double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (GOOD, refusal("invalid_blocks"), HANG):
        double.answer = answer
        try:
            await (hasty_port if answer is HANG else port).call("chat.postMessage", channel="C1", text="a private word")
        except SlackError as error:
            logging.getLogger("test").warning("refused: %s", error)

    assert "refused: invalid_blocks" in caplog.text
    assert "a private word" not in caplog.text
    assert "xoxb" not in caplog.text
