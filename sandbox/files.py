"""The bytes of files: sent up by apps, sent down to whoever may read them."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.core import Core
from sandbox.methods.files import may_read
from sandbox.workspace import File
from sandbox.workspaces import Workspaces

# Shown in the page as pictures; everything else is a download, so that no file can act as part of the page.
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def receive(workspaces: Workspaces, request: Request) -> Response:
    """The second step of an upload; the address is the permission. Answers "OK - N"."""
    _, file = workspaces.of_file(request.path_params["file_id"])
    if file is None or file.uploaded:
        return PlainTextResponse("Upload not found", 404)
    content = await _content(request)
    if len(content) != file.size:
        return PlainTextResponse(f"Expected {file.size} bytes, got {len(content)}", 400)
    file.content = content
    file.uploaded = True
    return PlainTextResponse(f"OK - {file.size}")


async def _content(request: Request) -> bytes:
    """The raw body, or the one file of a multipart form."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1) as form:
            for value in form.values():
                if isinstance(value, UploadFile):
                    return await value.read()
    return await request.body()


async def send(workspaces: Workspaces, request: Request) -> Response:
    """A file, to an app with its token or to the page."""
    core, file = workspaces.of_file(request.path_params["file_id"])
    token = request.headers.get("authorization", "").partition(" ")[2]
    if file is None or not file.uploaded:
        return PlainTextResponse("There is no such file.", 404)
    if token and not _may_download(workspaces, core, file, token):
        return PlainTextResponse("This token may not read the file.", 403)
    shown = file.mimetype in SHOWN and not request.path_params["name"].startswith("download/")
    disposition = "inline" if shown else f"attachment; filename*=UTF-8''{quote(file.name)}"
    return Response(file.content, media_type=file.mimetype, headers={"Content-Disposition": disposition})


def _may_download(workspaces: Workspaces, core: Core, file: File, token: str) -> bool:
    found = workspaces.of_token(token)
    is_good = found is not None and found[0] is core.installation and not found[1].fault(core.epoch())
    return is_good and "files:read" in core.app.scopes and may_read(core, file)
