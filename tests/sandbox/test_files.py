"""Files: up in three steps, down with a token, and in people's forms."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox.seed import NETWORK, RANDOM


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def fetch(url: str, token: str | None = None) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.read(), response.headers


async def test_a_file_goes_up_in_three_steps_and_down_again(sandbox: Sandbox, client: AsyncWebClient) -> None:
    answer = await client.files_upload_v2(
        content="a,b\n1,2\n", filename="table.csv", title="Table", channel=NETWORK, initial_comment="Here"
    )

    seen = sandbox.person("ana").messages("#network")[-1]
    (file,) = seen["files"]
    assert (seen["text"], seen["subtype"], file["title"]) == ("Here", "file_share", "Table")
    assert file["id"] == answer["file"]["id"]
    status, content, headers = await fetch(file["url_private_download"], sandbox.bot_token)
    assert (status, content) == (200, b"a,b\n1,2\n")
    assert headers["Content-Disposition"].startswith("attachment")
    assert (await fetch(file["url_private_download"], "xoxb-wrong"))[0] == 403


async def test_the_bytes_must_be_as_many_as_announced(sandbox: Sandbox, client: AsyncWebClient) -> None:
    target = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with aiohttp.ClientSession() as session:
        async with session.post(target["upload_url"], data=b"four") as response:
            assert response.status == 400
        early = client.files_completeUploadExternal(files=[{"id": target["file_id"]}])
        assert await refusal(early) == "file_not_found"
        async with session.post(target["upload_url"], data=b"one") as response:
            assert (response.status, await response.text()) == (200, "OK - 3")

    assert (await client.files_completeUploadExternal(files=[{"id": target["file_id"], "title": "A"}]))["ok"]


async def test_uploads_are_refused_as_slack_refuses_them(client: AsyncWebClient) -> None:
    assert await refusal(client.files_getUploadURLExternal(filename="a", length=0)) == "missing_argument"
    assert await refusal(client.files_info(file="F0")) == "file_not_found"
    outside = client.files_upload_v2(content="x", filename="a.txt", channel=RANDOM)
    assert await refusal(outside) == "not_in_channel"


async def test_a_page_cannot_be_smuggled_in_as_a_file(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await client.files_upload_v2(content="<script>alert(1)</script>", filename="page.html", channel=NETWORK)
    (file,) = sandbox.person("ana").messages("#network")[-1]["files"]

    _, _, headers = await fetch(file["url_private"])

    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
