"""Records from messages: which reaction saves one as a draft, and that it does so once."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import operations
from models.errors import InvalidFields
from models.inserting import add_if_missing
from models.kinds import KINDS, Kind
from models.permissions import Actor, Right, require
from models.tables import Capture, Record, Workspace

# Kind -> the emoji that saves a message as one, where nobody has changed that. 📌 ⚠️ ✅
AS_DELIVERED: Mapping[str, str] = {"decision": "pushpin", "risk": "warning", "action": "white_check_mark"}

# Slack knows these by two names, and tells the second.
_ALIASES: Mapping[str, str] = {"thumbsup": "+1", "thumbsdown": "-1"}
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}")


def emoji_name(typed: str) -> str:
    """The bare name in `:name:`, whatever its skin tone; what cannot be a name comes back as it is."""
    name = typed.strip().lower().strip(":").partition("::")[0]
    return _ALIASES.get(name, name)


async def reactions(session: AsyncSession) -> dict[str, str]:
    """What reactions mean in this workspace: kind -> name of an emoji; a kind that is not in it has none."""
    chosen = (await session.exec(select(Workspace.reactions))).first()
    return dict(AS_DELIVERED if chosen is None else chosen)


async def kind_meant(session: AsyncSession, emoji: str) -> Kind | None:
    """The kind that the emoji saves a message as, or None."""
    named = emoji_name(emoji)
    meant = await reactions(session)
    return next((kind for kind in KINDS if meant.get(kind.key) == named), None)


async def set_reactions(session: AsyncSession, actor: Actor, typed: Mapping[str, str]) -> dict[str, str]:
    """Store what reactions mean from now on; an empty name switches a kind's off.

    Raises NotAllowed, and InvalidFields whose keys are the kinds'.
    """
    require(actor, Right.REACTIONS, None)
    chosen = {key: name for key, words in typed.items() if (name := emoji_name(words))}
    problems = {
        key: "Type the emoji's name, such as pushpin." for key, name in chosen.items() if not _NAME.fullmatch(name)
    }
    for key, name in chosen.items():
        first = next(other for other, taken in chosen.items() if taken == name)
        if first != key:
            problems.setdefault(key, f":{name}: is taken by {first} already. Choose another one.")
    if problems:
        raise InvalidFields(problems)
    workspace = (await session.exec(select(Workspace))).one()
    workspace.reactions = chosen
    session.add(workspace)
    await session.flush()
    return chosen


async def capture(session: AsyncSession, kind: Kind, *, channel_id: str, ts: str, by: str, now: datetime) -> bool:
    """Take the message for a record of this kind; False when that was ever done before, also at this very moment."""
    row = {"channel_id": channel_id, "ts": ts, "kind": kind.key, "at": now, "by": by}
    return await add_if_missing(session, Capture, row)


def untitled(kind: Kind, author: str) -> str:
    """The title of a draft until somebody gives it one; `author` is who wrote the message, if that is known."""
    return f"Untitled {kind.singular} from a message" + (f" of {author}'s" if author else "")


def is_untitled(kind: Kind, title: str) -> bool:
    """Whether that is what the title says."""
    return title.startswith(untitled(kind, ""))


async def is_source(session: AsyncSession, channel_id: str, ts: str) -> bool:
    """Whether a record was made from that message."""
    return (
        await session.exec(select(Record.id).where(*operations.made_from(channel_id, ts)).limit(1))
    ).first() is not None
