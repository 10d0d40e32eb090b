"""The Web API's common rules: tokens, scopes, bodies, paging, pace, ordered trouble, the record of calls."""

import json
import re
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox import methods as sandbox_methods
from sandbox.methods import METHODS
from sandbox.rate_limits import RateLimits
from tests.sandbox.workspace_support import MANIFEST, SCOPES, manifest

FACTS = Path(__file__).parents[3] / "shared" / "slack" / "methods.json"
TIERS = {"Tier 1": 1, "Tier 2": 2, "Tier 3": 3, "Tier 4": 4}


async def post(url: str, **request: Any) -> tuple[int, dict[str, Any], Any]:
    async with aiohttp.ClientSession() as session, session.post(url, **request) as response:
        return response.status, await response.json(), response.headers


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_auth_test_names_the_workspace_and_the_bot(sandbox: Sandbox, client: AsyncWebClient) -> None:
    answer = await client.auth_test()

    assert answer["team_id"] == sandbox.team_id
    assert answer["user_id"] == sandbox.bot_user_id
    assert answer["url"] == f"{sandbox.url}/"
    assert answer.headers["x-oauth-scopes"].split(",") == SCOPES


async def test_each_answer_tells_the_workspace_s_time_as_its_events_do(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    """So that an app can compare what it was told with when it was installed."""
    before = sandbox.clock.now().replace(microsecond=0)
    await sandbox.advance(timedelta(days=400))

    told = parsedate_to_datetime((await client.auth_test()).headers["date"])

    assert before + timedelta(days=400) <= told <= sandbox.clock.now()


async def test_tokens_are_told_apart(sandbox: Sandbox) -> None:
    async def error(token: str | None, method: str = "auth.test") -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, body, _ = await post(sandbox.api_url + method, headers=headers)
        assert status == 200
        return str(body.get("error"))

    assert await error(None) == "not_authed"
    assert await error("xoxb-wrong") == "invalid_auth"
    assert await error(sandbox.app_token) == "not_allowed_token_type"
    assert await error(sandbox.bot_token, "apps.connections.open") == "not_allowed_token_type"
    assert await error(sandbox.bot_token, "no.such.method") == "unknown_method"


async def test_a_token_in_the_form_is_taken_and_not_recorded(sandbox: Sandbox) -> None:
    _, body, _ = await post(f"{sandbox.api_url}auth.test", data={"token": sandbox.bot_token})

    assert body["ok"] is True
    assert sandbox.bot_token not in str(sandbox.calls)


async def test_a_json_body_is_read_where_slack_reads_one(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}

    _, posted, _ = await post(
        f"{sandbox.api_url}chat.postMessage", headers=headers, json={"channel": "C00000000NE", "text": "hi"}
    )
    _, ignored, _ = await post(f"{sandbox.api_url}users.info", headers=headers, json={"user": "U00000000AN"})
    _, broken, _ = await post(
        f"{sandbox.api_url}chat.postMessage", headers=headers | {"Content-Type": "application/json"}, data=b"{"
    )

    assert posted["ok"] is True
    assert ignored["error"] == "invalid_arguments"
    assert ignored["response_metadata"]["messages"] == ["[ERROR] missing required field: user"]
    assert broken["error"] == "invalid_json"


async def test_a_missing_scope_is_named_with_what_there_is() -> None:
    async with Sandbox(manifest(without=("users:read",)), rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        with pytest.raises(SlackApiError) as caught:
            await client.users_info(user="U00000000AN")

        assert caught.value.response["error"] == "missing_scope"
        assert caught.value.response["needed"] == "users:read"
        assert "chat:write" in caught.value.response["provided"].split(",")


async def test_pages_follow_their_cursor_to_the_end(sandbox: Sandbox, client: AsyncWebClient) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        answer = await client.users_list(limit=2, cursor=cursor)
        seen += [member["id"] for member in answer["members"]]
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            break

    assert seen == list(sandbox.workspace.users)
    assert await refusal(client.users_list(cursor="nonsense")) == "invalid_cursor"
    assert await refusal(client.conversations_list(limit=5000)) == "invalid_limit"


async def test_one_message_a_second_goes_to_a_channel() -> None:
    async with Sandbox(MANIFEST) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        await client.chat_postMessage(channel="C00000000NE", text="one")

        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C00000000NE", text="two")
        await client.chat_postMessage(channel="C00000000GE", text="elsewhere")
        sandbox.rate_limits = False
        await client.chat_postMessage(channel="C00000000NE", text="two again")

        assert caught.value.response.status_code == 429
        assert caught.value.response["error"] == "ratelimited"
        assert caught.value.response.headers["Retry-After"] == "1"
        assert [m["text"] for m in sandbox.person("ana").messages("#network")[-2:]] == ["one", "two again"]


async def test_a_method_has_its_tiers_calls_a_minute() -> None:
    async with Sandbox(MANIFEST) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        for _ in range(20):
            await client.conversations_list()

        with pytest.raises(SlackApiError) as caught:
            await client.conversations_list()

        assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 3
        assert (await client.conversations_info(channel="C00000000NE"))["ok"]


def test_the_pace_recovers_with_the_wall_clock() -> None:
    now = [100.0]
    limits = RateLimits(now=lambda: now[0])

    assert limits.wait_for_channel("C1") is None
    assert limits.wait_for_channel("C1") == 1
    now[0] += 1.01
    assert limits.wait_for_channel("C1") is None


async def test_trouble_can_be_ordered(sandbox: Sandbox, client: AsyncWebClient) -> None:
    sandbox.fail("chat.postMessage", error="not_in_channel", channel="#network")
    sandbox.fail("users.info", status=500)
    sandbox.fail("users.list", retry_after=7)

    assert await refusal(client.chat_postMessage(channel="C00000000NE", text="a")) == "not_in_channel"
    assert (await client.chat_postMessage(channel="C00000000NE", text="b"))["ok"]
    with pytest.raises(SlackApiError) as failed:
        await client.users_info(user="U00000000AN")
    assert failed.value.response.status_code == 500
    with pytest.raises(SlackApiError) as slow:
        await client.users_list()
    assert slow.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("drop", "times_said"), [("before", 0), ("after", 1)])
async def test_an_answer_can_be_lost_before_or_after_the_work_is_done(
    sandbox: Sandbox, drop: Any, times_said: int
) -> None:
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])
    sandbox.fail("chat.postMessage", drop=drop)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel="C00000000NE", text="lost words")

    said = [m["text"] for m in sandbox.person("ana").messages("#network")]
    assert said.count("lost words") == times_said


async def test_an_answer_can_take_its_time(sandbox: Sandbox) -> None:
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[], timeout=1)
    sandbox.fail("auth.test", hang=1.5)

    with pytest.raises(TimeoutError):
        await client.auth_test()


async def test_an_answer_is_not_held_back(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    took: list[float] = []
    async with aiohttp.ClientSession() as session:
        for _ in range(20):
            began = time.perf_counter()
            async with session.post(f"{sandbox.api_url}auth.test", headers=headers) as response:
                await response.read()
            took.append(time.perf_counter() - began)

    assert min(took) < 0.03  # 0.04 is the delay of a TCP acknowledgement that waits for more


async def test_every_call_is_kept_with_its_answer(sandbox: Sandbox, client: AsyncWebClient) -> None:
    blocks = [{"type": "divider"}]
    await client.chat_postMessage(channel="C00000000NE", text="kept", blocks=blocks)

    call = sandbox.calls[-1]
    assert (call.method, call.status, call.args["text"], call.args["blocks"]) == (
        "chat.postMessage",
        200,
        "kept",
        blocks,
    )
    assert call.answer["message"]["text"] == "kept"
    assert call.at <= sandbox.clock.now()


def documented() -> dict[str, Any]:
    if not FACTS.exists():
        pytest.skip("the collected reference of Slack's methods is not beside this checkout")
    found: dict[str, Any] = json.loads(FACTS.read_text())["methods"]
    return found


def test_every_refusal_is_one_that_slack_documents() -> None:
    facts = json.loads(FACTS.read_text()) if documented() else {}
    known = {error for method in facts["methods"].values() for error in method["errors"]}
    seen_in_answers = {"cannot_dm_bot", "unknown_method", "socket_mode_not_enabled"}
    code = [path.read_text() for path in Path(sandbox_methods.__file__).parent.glob("*.py")]

    raised = set(re.findall(r'Refused\(\s*"(\w+)"', "".join(code)))

    assert len(raised) > 30
    assert raised <= known | set(facts["common_errors"]) | seen_in_answers


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_has_the_tier_scopes_and_body_slack_documents(name: str) -> None:
    facts = documented().get(name)
    if facts is None:
        pytest.skip(f"{name} is not in the collected reference")
    method = METHODS[name]

    assert method.json_body == facts["json_body"]
    if facts["tier"] and facts["tier"] != "special":
        assert method.tier == TIERS[facts["tier"].partition(" (")[0]]
    if method.scopes or facts["bot_scopes"]:
        assert set(facts["bot_scopes"]) <= set(method.scopes)
    assert {arg for arg, spec in facts["args"].items() if spec.get("required")} >= set(method.required)
