"""Keeps workspaces in a directory: sandbox.json, and the bytes of files beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.installation import Installation
from sandbox.manifest import App, Credentials
from sandbox.organisation import Organisation
from sandbox.seed import bot_of, bot_of_all
from sandbox.workspace import Json, Workspace
from sandbox.workspaces import Workspaces

FORMAT = 2


@dataclass(frozen=True)
class Kept:
    """What was kept: each workspace with its own installation of the app, the first one first."""

    places: list[tuple[Workspace, Installation]]
    organisations: list[Organisation]
    credentials: Credentials
    offset: timedelta


class Keeper:
    """Reads kept workspaces, and saves them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "sandbox.json"

    def load(self, app: App) -> Kept | None:
        """What was kept, or None in a new directory. Raises SandboxError when it cannot be read."""
        if not self._path.exists():
            return None
        try:
            state: Json = json.loads(self._path.read_text())
            if state["format"] not in READERS:
                raise SandboxError(f"{self._path} was written by another version of the sandbox.")
            state = READERS[state["format"]](state)
            places = [
                (
                    Workspace.from_json(place["workspace"]),
                    Installation.from_json(bot_of(app, number) if number > 1 else app, place["installation"]),
                )
                for number, place in enumerate(state["places"], 1)
            ]
            organisations = [
                Organisation.from_json(bot_of_all(app, number), above)
                for number, above in enumerate(state["organisations"], 1)
            ]
            credentials = Credentials(**state["credentials"])
            offset = timedelta(seconds=state["offset_seconds"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise SandboxError(f"{self._path} cannot be read. Move it away to start afresh.") from error
        for workspace, _ in places:
            for file in workspace.files.values():
                content = self._content(file.id)
                file.content = content.read_bytes() if content.exists() else b""
        return Kept(places, organisations, credentials, offset)

    def save(self, workspaces: Workspaces) -> None:
        """Write everything; either the whole of it is there afterwards, or what was before."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for core in workspaces:
            for file in core.workspace.files.values():
                content = self._content(file.id)
                if file.uploaded and not content.exists():
                    content.parent.mkdir(exist_ok=True)
                    content.write_bytes(file.content)
        state = {
            "format": FORMAT,
            "offset_seconds": workspaces.first.clock.offset.total_seconds(),
            "credentials": asdict(workspaces.first.credentials),
            "places": [
                {"workspace": core.workspace.to_json(), "installation": core.own.to_json()} for core in workspaces
            ],
            "organisations": [above.to_json() for above in workspaces.organisations],
        }
        draft = self._path.with_suffix(".tmp")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(state, out)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self._path)

    def _content(self, file_id: str) -> Path:
        return self._directory / "files" / file_id


def _one_workspace(state: Json) -> Json:
    """Format 1 held a single workspace, its bot token among the app's own secrets."""
    credentials = dict(state["credentials"])
    token = {"secret": credentials.pop("bot_token")}
    installation = {"active": True, "installed_by": "", "tokens": [token], "scopes": ()}
    places = [{"workspace": state["workspace"], "installation": installation}]
    return {
        "places": places,
        "organisations": [],
        "credentials": credentials,
        "offset_seconds": state["offset_seconds"],
    }


def _as_written(state: Json) -> Json:
    return state


READERS: dict[int, Callable[[Json], Json]] = {1: _one_workspace, FORMAT: _as_written}
