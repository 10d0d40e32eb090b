"""Text as Slack sends it (mentions, links and entities encoded) turned into what the person typed, once."""

import re
from collections.abc import Sequence
from html import unescape

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.entry import Mention, NamedChannel, Piece
from views.blocks import esc, safe

_ENTITY = re.compile(r"<([^<>]*)>")


def pieces(text: str) -> list[str | Mention]:
    """Plain text with the people named in it between. Only `&amp;`, `&lt;` and `&gt;` are entities, each once."""
    return [f"#{piece.name}" if isinstance(piece, NamedChannel) else piece for piece in pieces_with_channels(text)]


def pieces_with_channels(text: str) -> list[Piece]:
    """The same, with the channels named in it as channels, where a channel means more than its name."""
    found: list[Piece] = []
    position = 0
    for match in _ENTITY.finditer(text):
        found.append(_plain(text[position : match.start()]))
        found.append(_entity(match[1]))
        position = match.end()
    found.append(_plain(text[position:]))
    return [piece for piece in found if piece != ""]


def as_text(found: Sequence[Piece]) -> str:
    """The pieces as one text, people as `@name` and channels as `#name`."""
    marks = {Mention: "@", NamedChannel: "#"}
    return "".join(piece if isinstance(piece, str) else f"{marks[type(piece)]}{piece.name}" for piece in found)


def encoded(found: Sequence[Piece]) -> str:
    """The pieces as Slack would send them: what `pieces_with_channels` reads as the same again."""

    def one(piece: Piece) -> str:
        if isinstance(piece, str):
            return esc(piece)
        return f"<@{piece.user_id}>" if isinstance(piece, Mention) else f"<#{piece.channel_id}>"

    return "".join(map(one, found))


def labelled(found: Sequence[Piece]) -> str:
    """The same with the names beside the ids, as in the text of a command."""

    def one(piece: Piece) -> str:
        if isinstance(piece, str):
            return esc(piece)
        mark, known_as = ("@", piece.user_id) if isinstance(piece, Mention) else ("#", piece.channel_id)
        return f"<{mark}{known_as}|{esc(piece.name)}>"

    return "".join(map(one, found))


def after_mention(text: str, user_id: str) -> str:
    """What stands behind the first mention of that person or app; all of it where they are not mentioned."""
    found = re.search(rf"<@{re.escape(user_id)}(?:\|[^<>]*)?>[\s:,]*", text)
    return text[found.end() :] if found else text


def people_in(text: str) -> list[str]:
    """The ids of the people named in it, each once, in their order."""
    return list(dict.fromkeys(piece.user_id for piece in pieces_with_channels(text) if isinstance(piece, Mention)))


async def named_pieces(session: AsyncSession, text: str) -> list[Piece]:
    """The pieces with channels, and people under the names we know them by: Slack often sends nothing but the id."""
    found = pieces_with_channels(text)
    people = await directory.people(session, {piece.user_id for piece in found if isinstance(piece, Mention)})
    return [
        Mention(piece.user_id, people[piece.user_id].shown_name)
        if isinstance(piece, Mention) and piece.user_id in people
        else piece
        for piece in found
    ]


def decoded(text: str) -> str:
    """What the person typed, people as `@name`."""
    return as_text(pieces(text))


def _entity(inside: str) -> Piece:
    target, _, label = inside.partition("|")
    if re.fullmatch(r"@[UW][A-Z0-9]+", target):
        return Mention(target[1:], _plain(label) or target[1:])
    if target.startswith("#"):
        return NamedChannel(target[1:], _plain(label) or target[1:])
    if target.startswith("!"):
        command, _, argument = target[1:].partition("^")
        return _plain(label) or f"@{argument if command == 'subteam' else command}"
    address, words = _plain(target), _plain(label)
    return f"{words} ({address})" if "://" in address and words and words not in address else words or address


def _plain(text: str) -> str:
    """Unescaped, and without what no text should hold: PostgreSQL refuses a NUL, a bidi override misleads readers."""
    return safe(re.sub(r"&(?:amp|lt|gt);", lambda match: unescape(match[0]), text))
