"""Text as Slack sends it (mentions, links and entities encoded) turned into what the person typed, once."""

import re
from collections.abc import Sequence
from html import unescape

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.entry import Mention
from views.blocks import safe

_ENTITY = re.compile(r"<([^<>]*)>")


def pieces(text: str) -> list[str | Mention]:
    """Plain text with the people named in it between. Only `&amp;`, `&lt;` and `&gt;` are entities, each once."""
    found: list[str | Mention] = []
    position = 0
    for match in _ENTITY.finditer(text):
        found.append(_plain(text[position : match.start()]))
        found.append(_entity(match[1]))
        position = match.end()
    found.append(_plain(text[position:]))
    return [piece for piece in found if piece != ""]


def as_text(found: Sequence[str | Mention]) -> str:
    """The pieces as one text, people as `@name`."""
    return "".join(f"@{piece.name}" if isinstance(piece, Mention) else piece for piece in found)


async def named_pieces(session: AsyncSession, text: str) -> list[str | Mention]:
    """The pieces with people under the names we know them by: Slack often sends nothing but the id."""
    found = pieces(text)
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


def _entity(inside: str) -> str | Mention:
    target, _, label = inside.partition("|")
    if re.fullmatch(r"@[UW][A-Z0-9]+", target):
        return Mention(target[1:], _plain(label) or target[1:])
    if target.startswith("#"):
        return f"#{_plain(label) or target[1:]}"
    if target.startswith("!"):
        command, _, argument = target[1:].partition("^")
        return _plain(label) or f"@{argument if command == 'subteam' else command}"
    address, words = _plain(target), _plain(label)
    return f"{words} ({address})" if "://" in address and words and words not in address else words or address


def _plain(text: str) -> str:
    """Unescaped, and without what no text should hold: PostgreSQL refuses a NUL, a bidi override misleads readers."""
    return safe(re.sub(r"&(?:amp|lt|gt);", lambda match: unescape(match[0]), text))
