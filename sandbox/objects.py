"""Slack's objects as apps read them: users, conversations, messages, files, views."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.manifest import App
from sandbox.text import rich_text
from sandbox.workspace import Channel, File, Json, User, View, Workspace, short_id

IMAGE_SIZES = (24, 32, 48, 72, 192, 512)


def user_object(workspace: Workspace, user: User, app: App, now: datetime, *, with_email: bool = True) -> Json:
    """A person or bot. The offset is that of their zone now; it moves with daylight saving."""
    local = now.astimezone(ZoneInfo(user.tz))
    offset = local.utcoffset()
    shape: Json = {
        "id": user.id,
        "team_id": workspace.team_of(user.id),
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": local.tzname() or user.tz,
        "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
        "profile": _profile(workspace, user, app, with_email) | _status(user, now),
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": user.is_owner,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_stranger": bool(user.home) and not _meets(workspace, user, app),
        "is_invited_user": False,
        "is_connector_bot": False,
        "is_workflow_bot": False,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "updated": user.updated,
        "has_2fa": False,
        "two_factor_type": "",
        "has_files": False,
        "presence": "away" if user.deleted else "active",
        "locale": "en-US",
        "who_can_share_contact_card": "EVERYONE",
    }
    if user.deleted:
        for key in ("color", "tz", "tz_label", "tz_offset", "is_admin", "is_owner", "is_primary_owner"):
            del shape[key]
    if user.home:
        for key in ("tz", "tz_label", "tz_offset", "is_admin", "is_owner", "is_primary_owner", "locale"):
            shape.pop(key, None)
    return shape


def _meets(workspace: Workspace, user: User, app: App) -> bool:
    """Whether the person is in a shared channel that the app is in."""
    shared = (channel for channel in workspace.channels.values() if channel.shared_with)
    return any({user.id, app.bot_user_id} <= {*channel.members} for channel in shared)


def _status(user: User, now: datetime) -> Json:
    """What a person says of themselves beside their name; one that has ended is gone."""
    is_shown = user.has_status(now.timestamp())
    return {
        "status_text": user.status_text if is_shown else "",
        "status_text_canonical": "",
        "status_emoji": user.status_emoji if is_shown else "",
        "status_emoji_url": "",
        "status_expiration": user.status_expiration if is_shown else 0,
    }


def _profile(workspace: Workspace, user: User, app: App, with_email: bool) -> Json:
    first, _, last = user.real_name.partition(" ")
    image = f"https://secure.gravatar.example/avatar/{user.id.lower()}"
    profile: Json = {
        "avatar_hash": user.id.lower(),
        "title": user.title,
        "phone": "",
        "skype": "",
        "pronouns": "",
        "first_name": first,
        "last_name": last,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": "" if user.is_bot else user.name,
        "display_name_normalized": "" if user.is_bot else user.name,
        "huddle_state": "default_unset",
        "huddle_state_expiration_ts": 0,
        "is_custom_image": False,
        "image_original": f"{image}/original.png",
        **{f"image_{size}": f"{image}/{size}.png" for size in (*IMAGE_SIZES, 1024)},
        "team": workspace.team_of(user.id),
    }
    if user.is_bot:
        profile |= {"bot_id": app.bot_id, "api_app_id": app.id, "always_active": True}
    elif with_email and not user.home:
        profile["email"] = user.email
    if user.is_restricted:
        profile |= {"guest_channels": "", "guest_invited_by": "", "guest_expiration_ts": 0}
    return profile


def bot_object(app: App, bot: User) -> Json:
    return {
        "id": app.bot_id,
        "deleted": False,
        "name": app.bot_name,
        "updated": bot.updated,
        "app_id": app.id,
        "user_id": bot.id,
        "icons": _bot_icons(),
    }


def _bot_icons() -> Json:
    base = "https://a.slack-edge.example/bot"
    return {f"image_{size}": f"{base}_{size}.png" for size in (36, 48, 72)}


def channel_object(workspace: Workspace, channel: Channel, viewer: str, *, with_members: bool = False) -> Json:
    """A conversation as `viewer` sees it; `num_members` only on request, as in conversations.info."""
    if channel.is_direct:
        return _direct_object(workspace, channel, viewer)
    private = channel.kind == "private"
    said = {"creator": channel.creator, "last_set": channel.created}
    shape: Json = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not private,
        "is_group": private,
        "is_im": False,
        "is_mpim": False,
        "is_private": private,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": bool(channel.shared_with),
        "is_frozen": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": workspace.id,
        "updated": channel.created * 1000,
        "parent_conversation": None,
        "creator": channel.creator,
        "is_ext_shared": bool(channel.shared_with),
        "shared_team_ids": [workspace.id, *channel.shared_with],
        "pending_connected_team_ids": [],
        "is_member": viewer in channel.members,
        "topic": {"value": channel.topic, **said},
        "purpose": {"value": channel.purpose, **said},
        "properties": {"tabs": [{"id": "files", "label": "", "type": "files"}]},
        "previous_names": channel.previous_names,
    }
    if with_members:
        shape["num_members"] = len(channel.members)
    return shape


def _direct_object(workspace: Workspace, channel: Channel, viewer: str) -> Json:
    other = next((member for member in channel.members if member != viewer), viewer)
    last = next(reversed(channel.messages.values()), None)
    shape: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_org_shared": False,
        "context_team_id": workspace.id,
        "updated": channel.created * 1000,
        "user": other,
        "is_user_deleted": workspace.users[other].deleted,
        "last_read": channel.last_read.get(viewer, "0000000000.000000"),
        "latest": message_object(channel, last) if last else None,
        "unread_count": 0,
        "unread_count_display": 0,
        "is_open": True,
        "locale": "en-US",
        "priority": 0,
    }
    return shape


def person_message(workspace: Workspace, user: str, text: str, ts: str) -> Json:
    """A message a person wrote; `text` is already in its form for the wire."""
    team = workspace.team_of(user)
    return {
        "client_msg_id": str(uuid.uuid4()),
        "type": "message",
        "user": user,
        "text": text,
        "ts": ts,
        "team": team,
        "blocks": [rich_text(text, short_id())] if text else [],
        **({"user_team": team, "source_team": team} if team != workspace.id else {}),
    }


def bot_message(workspace: Workspace, app: App, text: str, ts: str) -> Json:
    """A message of the app, before blocks and the rest are added."""
    bot = workspace.users[app.bot_user_id]
    return {
        "user": app.bot_user_id,
        "type": "message",
        "ts": ts,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "text": text,
        "team": workspace.id,
        "bot_profile": {
            "id": app.bot_id,
            "app_id": app.id,
            "user_id": app.bot_user_id,
            "name": app.bot_name,
            "icons": _bot_icons(),
            "deleted": False,
            "updated": bot.updated,
            "team_id": workspace.id,
        },
    }


def message_object(channel: Channel, message: Json, *, with_metadata: bool = False) -> Json:
    """A stored message as history tells it: thread counts added, metadata only on request."""
    shape = {key: value for key, value in message.items() if key != "metadata"}
    if with_metadata and "metadata" in message:
        shape["metadata"] = message["metadata"]
    replies = channel.thread(message["ts"])[1:] if message.get("thread_ts") == message["ts"] else []
    if replies:
        users = list(dict.fromkeys(reply["user"] for reply in replies))
        shape |= {
            "reply_count": len(replies),
            "reply_users_count": len(users),
            "latest_reply": replies[-1]["ts"],
            "reply_users": users[:5],
            "is_locked": False,
            "subscribed": False,
        }
    return shape


def file_object(workspace: Workspace, file: File, base_url: str) -> Json:
    """A file; its bytes are at `url_private_download` for whoever holds a token."""
    kinds = {"channels": "public", "groups": "private", "ims": "im"}
    shared = {field: [c for c in file.shares if workspace.channels[c].kind == kind] for field, kind in kinds.items()}
    extension = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
    address = f"{base_url}/files/{file.id}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": extension,
        "pretty_type": extension.upper(),
        "user": file.user,
        "user_team": workspace.id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(shared["channels"]),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{address}/{file.name}",
        "url_private_download": f"{address}/download/{file.name}",
        "media_display_type": "unknown",
        "permalink": f"{address}/{file.name}",
        "permalink_public": f"{address}/{file.name}",
        "comments_count": 0,
        "is_starred": False,
        "has_rich_preview": False,
        "alt_txt": file.alt_txt,
        "shares": _shares(workspace, file),
        **shared,
        **(_thumbnails(address, file) if file.mimetype.startswith("image/") else {}),
    }


def _shares(workspace: Workspace, file: File) -> Json:
    shares: Json = {}
    for channel_id, stamps in file.shares.items():
        channel = workspace.channels[channel_id]
        kind = "public" if channel.kind == "public" else "private"
        entry = {"reply_users": [], "reply_users_count": 0, "reply_count": 0, "channel_name": channel.name}
        shares.setdefault(kind, {})[channel_id] = [{**entry, "ts": ts, "team_id": workspace.id} for ts in stamps]
    return shares


def _thumbnails(address: str, file: File) -> Json:
    """Small pictures are not made here; every size names the picture itself."""
    return {f"thumb_{size}": f"{address}/{file.name}" for size in (64, 80, 160, 360)}


def view_object(view: View, values: Json | None = None) -> Json:
    """A view as Slack gives it back, with the state of its inputs."""
    return {**view.body, "state": {"values": view.values if values is None else values}}
