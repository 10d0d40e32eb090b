"""Slack's text on the wire: what people type, what apps send, and the rich text Slack makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from sandbox.emoji import SHORT_NAMES
from sandbox.workspace import Json, Workspace

BROADCASTS = ("here", "channel", "everyone")
BARE_URL = r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'\"]"
# What Slack leaves alone between angle brackets: mentions, channels, commands such as !date, and links.
TOKEN = re.compile(r"<(?:[@#!][^<>\n]+|[a-zA-Z][\w+.-]*:[^<>\n]+|[^<>\s|]+\.[^<>\s|]+(?:\|[^<>\n]*)?)>")
KEPT = re.compile(rf"(?P<token>{TOKEN.pattern})|(?P<code>```.*?```|`[^`\n]+`)|(?P<url>{BARE_URL})", re.DOTALL)
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
# Part of a longer one, joined to others or with the tone of a skin, a symbol is not what its own name says.
EMOJI = re.compile(
    rf"(?<!\u200d)(?:{'|'.join(re.escape(symbol) for symbol in sorted(SHORT_NAMES, key=len, reverse=True))})"
    r"(?![\u200d\U0001f3fb-\U0001f3ff])"
)


def escape(text: str) -> str:
    """Plain characters as Slack shows them to apps; what is already escaped stays."""
    return ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def escape_typed(text: str) -> str:
    """What a person typed, every special character of it escaped and emoji by name."""
    return _named(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def normalise(text: str) -> str:
    """mrkdwn as an app sent it, in the form Slack gives back: escaped, bare URLs in brackets, emoji by name."""
    pieces: list[str] = []
    end = 0
    for match in KEPT.finditer(text):
        pieces.append(_plain(text[end : match.start()]))
        pieces.append(_kept(match))
        end = match.end()
    pieces.append(_plain(text[end:]))
    return "".join(pieces)


def normalise_plain(text: str) -> str:
    """plain_text in the form Slack gives back: no tokens in it, so every bracket is escaped."""
    return _plain(text)


def _plain(text: str) -> str:
    return _named(escape(text))


def _named(text: str) -> str:
    return EMOJI.sub(lambda found: f":{SHORT_NAMES[found.group()]}:", text)


def _kept(match: re.Match[str]) -> str:
    if match["url"]:
        return f"<{ENTITY.sub('&amp;', match['url'])}>"
    return ENTITY.sub("&amp;", match["token"]) if match["token"] else escape(match.group())


def typed_message(workspace: Workspace, text: str) -> str:
    """What a person typed into the message box, as it travels: mentions by id, links in brackets, the rest escaped."""
    return _encode(workspace, text, named=False)


def typed_command(workspace: Workspace, text: str, should_escape: bool) -> str:
    """What a person typed after a slash command, as the app gets it: raw, or with entities when the command asks so."""
    if should_escape:
        return _encode(workspace, text, named=True)
    return _mentions(workspace).sub(partial(_as_typed, workspace), text)


def _encode(workspace: Workspace, text: str, named: bool) -> str:
    pieces: list[str] = []
    end = 0
    for match in _mentions(workspace).finditer(text):
        pieces.append(escape_typed(text[end : match.start()]))
        pieces.append(_entity(workspace, match, named))
        end = match.end()
    pieces.append(escape_typed(text[end:]))
    return "".join(pieces)


def _mentions(workspace: Workspace) -> re.Pattern[str]:
    """Finds what a message box turns into entities: names of this workspace, their ids in brackets, and addresses."""
    people = _alternatives(name for user in workspace.users.values() for name in (user.name, user.real_name))
    rooms = _alternatives(channel.name for channel in workspace.channels.values() if channel.name)
    return re.compile(
        r"<@(?P<user_id>[UW][A-Z0-9]+)(?:\|[^<>]*)?>|<#(?P<channel_id>[CG][A-Z0-9]+)(?:\|[^<>]*)?>"
        rf"|(?P<url>{BARE_URL})|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
        rf"|(?<![\w@])@(?P<broadcast>{'|'.join(BROADCASTS)})(?![\w-])"
        rf"|(?<![\w@])@(?P<person>{people})(?![\w-])|(?<![\w#])#(?P<room>{rooms})(?![\w-])",
        re.IGNORECASE,
    )


def _alternatives(names: Iterator[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True)) or r"(?!)"


def _entity(workspace: Workspace, match: re.Match[str], named: bool) -> str:
    if match["url"]:
        return f"<{match['url'].replace('&', '&amp;')}>"
    if match["mail"]:
        return f"<mailto:{match['mail']}|{match['mail']}>"
    if match["broadcast"]:
        return f"<!{match['broadcast'].lower()}>"
    if match["user_id"] or match["person"]:
        user = workspace.find_user(match["user_id"] or match["person"])
        if user is None:
            return escape_typed(match.group())
        return f"<@{user.id}|{user.name}>" if named else f"<@{user.id}>"
    channel = workspace.find_channel(match["channel_id"] or match["room"])
    if channel is None:
        return escape_typed(match.group())
    return f"<#{channel.id}|{channel.name if channel.kind == 'public' else ''}>"


def _as_typed(workspace: Workspace, match: re.Match[str]) -> str:
    """An entity picked from a menu, in the letters a person would have typed."""
    if match["user_id"]:
        user = workspace.find_user(match["user_id"])
        return f"@{user.name}" if user else match.group()
    if match["channel_id"]:
        channel = workspace.find_channel(match["channel_id"])
        return f"#{channel.name}" if channel else match.group()
    return match.group()


RICH = re.compile(
    r"<@(?P<user>[^<>|]+)(?:\|[^<>]*)?>|<#(?P<channel>[^<>|]+)(?:\|[^<>]*)?>|<!(?P<range>here|channel|everyone)>"
    r"|<(?P<url>[^<>|@#!][^<>|]*)(?:\|(?P<label>[^<>]*))?>|:(?P<emoji>[a-z0-9_+-]+):"
)


def rich_text(text: str, block_id: str) -> Json:
    """The rich_text block Slack puts beside a message a person wrote."""
    elements: list[Json] = []
    end = 0
    for match in RICH.finditer(text):
        elements += _rich_plain(text[end : match.start()])
        elements.append(_rich_entity(match))
        end = match.end()
    elements += _rich_plain(text[end:])
    return {
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


def _rich_plain(text: str) -> list[Json]:
    return [{"type": "text", "text": unescape(text)}] if text else []


def _rich_entity(match: re.Match[str]) -> Json:
    kind = match.lastgroup
    if match["user"]:
        return {"type": "user", "user_id": match["user"]}
    if match["channel"]:
        return {"type": "channel", "channel_id": match["channel"]}
    if kind == "range":
        return {"type": "broadcast", "range": match["range"]}
    if kind == "emoji":
        return {"type": "emoji", "name": match["emoji"]}
    link: dict[str, Any] = {"type": "link", "url": unescape(match["url"])}
    if match["label"]:
        link["text"] = unescape(match["label"])
    return link


def mentions(text: str) -> set[str]:
    """Ids of the people a text mentions."""
    return set(re.findall(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>", text))
