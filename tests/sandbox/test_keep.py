"""A workspace kept in a directory is found again there."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError, Timing
from sandbox.seed import ANA, NETWORK
from tests.sandbox.workspace_support import MANIFEST, SCOPES, home
from tests.waiting import until


async def test_everything_said_is_there_again_after_a_restart(tmp_path: Path) -> None:
    async with Sandbox(MANIFEST, keep=tmp_path, rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        await sandbox.person("ana").say("#network", "remember me")
        await client.views_publish(user_id=ANA, view=home())
        await client.files_upload_v2(content="bytes", filename="a.txt", channel=NETWORK)
        await sandbox.advance(timedelta(days=3))
        told, secrets = sandbox.clock.now(), _secrets(sandbox)
        before = [message["ts"] for message in sandbox.person("ben").messages("#network")]

    async with Sandbox(MANIFEST, keep=tmp_path, rate_limits=False) as sandbox:
        assert _secrets(sandbox) == secrets
        assert sandbox.clock.now() >= told
        assert [message["ts"] for message in sandbox.person("ben").messages("#network")] == before
        assert sandbox.person("ana").home is not None
        (file,) = sandbox.workspace.files.values()
        assert file.content == b"bytes"
        said = await sandbox.person("ana").say("#network", "and me")
        assert float(said["ts"]) > float(before[-1])


def _secrets(sandbox: Sandbox) -> tuple[str, ...]:
    ours = (sandbox.bot_token, sandbox.app_token, sandbox.signing_secret)
    return (*ours, sandbox.client_id, sandbox.client_secret)


async def test_what_an_older_sandbox_kept_is_still_read(tmp_path: Path) -> None:
    async with Sandbox(MANIFEST, keep=tmp_path) as sandbox:
        await sandbox.person("ana").say("#network", "from before")
    new = json.loads((tmp_path / "sandbox.json").read_text())
    secrets = {name: value for name, value in new["credentials"].items() if not name.startswith("client_")}
    old = {
        "format": 1,
        "offset_seconds": 60.0,
        "credentials": {"bot_token": "xoxb-old", **secrets},
        "workspace": new["places"][0]["workspace"],
    }
    (tmp_path / "sandbox.json").write_text(json.dumps(old))

    async with Sandbox(MANIFEST, keep=tmp_path) as sandbox:
        assert (sandbox.bot_token, sandbox.app_token) == ("xoxb-old", secrets["app_token"])
        assert sandbox.person("ben").messages("#network")[-1]["text"] == "from before"
        client = AsyncWebClient(token="xoxb-old", base_url=sandbox.api_url)
        answer = await client.auth_test()
        assert answer.headers["x-oauth-scopes"] == ",".join(SCOPES)


async def test_it_is_saved_a_moment_after_each_change(tmp_path: Path) -> None:
    async with Sandbox(MANIFEST, keep=tmp_path, timing=Timing(save=0.01)) as sandbox:
        await sandbox.person("ana").say("#network", "soon on disk")
        await until(lambda: "soon on disk" in _kept(tmp_path))
        await sandbox.person("ana").say("#network", "this too")
        await until(lambda: "this too" in _kept(tmp_path))

    assert (tmp_path / "sandbox.json").stat().st_mode & 0o077 == 0


def _kept(directory: Path) -> str:
    path = directory / "sandbox.json"
    return path.read_text() if path.exists() else ""


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_nothing_is_written_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with Sandbox(MANIFEST) as sandbox:
        await sandbox.person("ana").say("#network", "gone with the wind")

    assert _entries(tmp_path) == []


@pytest.mark.parametrize("content", ["{", json.dumps({"format": 99}), json.dumps({"format": 1})])
def test_what_cannot_be_read_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "sandbox.json").write_text(content)

    with pytest.raises(SandboxError, match=r"sandbox\.json"):
        Sandbox(MANIFEST, keep=tmp_path)

    assert (tmp_path / "sandbox.json").read_text() == content
