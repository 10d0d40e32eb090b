"""files.*: a file goes up in three steps: ask for an address, send the bytes there, complete."""

from __future__ import annotations

import mimetypes
from typing import Any

from sandbox import messages
from sandbox.arguments import Args
from sandbox.core import Core
from sandbox.errors import Refused, invalid_arguments
from sandbox.methods.chat import check_message
from sandbox.methods.method import Method
from sandbox.objects import file_object
from sandbox.workspace import Channel, File, Json, new_id

LARGEST_SNIPPET = 1_000_000
LARGEST_FILE = 50_000_000
LONGEST_ALT = 1_000
MOST_CHANNELS = 100


def get_upload_url(core: Core, args: Args) -> Json:
    length = args.number("length", 0)
    if length <= 0:
        raise Refused("missing_argument")
    if args.text("snippet_type") and length > LARGEST_SNIPPET:
        raise Refused("snippet_too_large")
    if length > LARGEST_FILE:
        raise Refused("file_upload_size_restricted")
    if len(args.text("alt_txt")) > LONGEST_ALT:
        raise Refused("alt_txt_too_large")
    file = new_file(core, args.text("filename"), length, core.app.bot_user_id)
    file.alt_txt = args.text("alt_txt")
    return {"upload_url": f"{core.base_url}/upload/v1/{file.id}", "file_id": file.id}


def new_file(core: Core, name: str, size: int, user: str) -> File:
    """A file of which only the name and size are known yet."""
    safe = name.replace("/", "_").replace("\\", "_")
    kind = mimetypes.guess_type(safe)[0] or "application/octet-stream"
    file = File(new_id("F"), safe, safe, size, user, core.epoch(), kind)
    core.workspace.files[file.id] = file
    return file


def complete_upload(core: Core, args: Args) -> Json:
    entries = args.decoded("files")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise invalid_arguments("missing required field: files")
    files = [_uploaded(core, entry) for entry in entries]
    channels = [_target(core, channel) for channel in (args.names("channel_id") or args.names("channels"))]
    if len(channels) > MOST_CHANNELS:
        raise Refused("channels_limit_exceeded")
    given: dict[str, Any] = {"text": args.text("initial_comment"), "thread_ts": args.text("thread_ts")}
    if args.given.get("blocks"):
        given["blocks"] = args.decoded("blocks")
        check_message(given)
    for channel in channels:
        messages.share_as_app(core, channel, files, messages.draft_of(given))
    return {"files": [file_object(core.workspace, file, core.base_url) for file in files]}


def _uploaded(core: Core, entry: Json) -> File:
    file = core.workspace.files.get(str(entry.get("id")))
    if file is None or not file.uploaded or file.user != core.app.bot_user_id:
        raise Refused("file_not_found")
    file.title = str(entry.get("title") or file.name)
    return file


def _target(core: Core, channel_id: str) -> Channel:
    channel = core.workspace.channels.get(channel_id)
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if not core.app_is_in(channel):
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("posting_to_channel_denied")
    return channel


def info(core: Core, args: Args) -> Json:
    file = core.workspace.files.get(args.text("file"))
    if file is None or not may_read(core, file):
        raise Refused("file_not_found")
    shape = file_object(core.workspace, file, core.base_url)
    return {"file": shape, "comments": [], "response_metadata": {"next_cursor": ""}}


def delete(core: Core, args: Args) -> Json:
    file = core.workspace.files.get(args.text("file"))
    if file is None:
        raise Refused("file_not_found")
    if file.user != core.app.bot_user_id:
        raise Refused("cant_delete_file")
    del core.workspace.files[file.id]
    return {}


def may_read(core: Core, file: File) -> bool:
    """The app reads its own files, those put into its forms, and those in conversations it is in."""
    own = file.user == core.app.bot_user_id or not file.shares
    return own or any(core.app_is_in(core.workspace.channels[channel]) for channel in file.shares)


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, 4, ("files:write",), ("filename", "length")),
    "files.completeUploadExternal": Method(complete_upload, 4, ("files:write",), ("files",), json_body=True),
    "files.info": Method(info, 4, ("files:read",), ("file",)),
    "files.delete": Method(delete, 3, ("files:write",), ("file",), json_body=True),
}
