"""Keeps a workspace in a directory: sandbox.json, and the bytes of files beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.manifest import Credentials
from sandbox.workspace import Json, Workspace

FORMAT = 1


class Keeper:
    """Reads a kept workspace, and saves it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "sandbox.json"

    def load(self) -> tuple[Workspace, Credentials, timedelta] | None:
        """What was kept, or None in a new directory. Raises SandboxError when it cannot be read."""
        if not self._path.exists():
            return None
        try:
            state: Json = json.loads(self._path.read_text())
            if state["format"] != FORMAT:
                raise SandboxError(f"{self._path} was written by another version of the sandbox.")
            workspace = Workspace.from_json(state["workspace"])
            credentials = Credentials(**state["credentials"])
            offset = timedelta(seconds=state["offset_seconds"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise SandboxError(f"{self._path} cannot be read. Move it away to start afresh.") from error
        for file in workspace.files.values():
            content = self._content(file.id)
            file.content = content.read_bytes() if content.exists() else b""
        return workspace, credentials, offset

    def save(self, workspace: Workspace, credentials: Credentials, offset: timedelta) -> None:
        """Write everything; either the whole of it is there afterwards, or what was before."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for file in workspace.files.values():
            content = self._content(file.id)
            if file.uploaded and not content.exists():
                content.parent.mkdir(exist_ok=True)
                content.write_bytes(file.content)
        state = {
            "format": FORMAT,
            "offset_seconds": offset.total_seconds(),
            "credentials": asdict(credentials),
            "workspace": workspace.to_json(),
        }
        draft = self._path.with_suffix(".tmp")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(state, out)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self._path)

    def _content(self, file_id: str) -> Path:
        return self._directory / "files" / file_id
