"""Was it posted? What became of a call that nobody answered, read from the conversation it was for.

Every message of Steward's carries the number of its delivery as metadata, which Slack gives back in the history. The
history of direct messages is always Steward's to read, that of a channel where the optional scopes were granted.
"""

from collections.abc import AsyncIterator, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.slack_port import SlackPort, SlackRefused
from scheduler.deliveries import Call, Draft
from views.blocks import Message

EVENT_TYPE = "steward_delivery"

# Our clock may be ahead of Slack's by so much, and the message is found all the same.
SKEW = timedelta(hours=1)
PAGE = 200
# More messages than these since the call, and it counts as not to be known.
PAGES_MAX = 10


@dataclass(frozen=True)
class Found:
    """A message as it stands in Slack, and the draft it came from as far as it is known."""

    channel: str
    ts: str
    draft: Draft


def metadata(delivery_id: int | None, attempt: int) -> dict[str, Any]:
    """What tells in Slack from which delivery and attempt a message came."""
    return {"event_type": EVENT_TYPE, "event_payload": {"id": delivery_id, "attempt": attempt}}


def is_readable(call: Call, scopes: Set[str]) -> bool:
    """Whether it may be seen in Slack what came of the call: of a post, where we have the scope for it."""
    needed = {"im:history"} if _is_person(call.channel) else {"channels:history", "groups:history"}
    return call.method == "post" and bool(needed & scopes)


async def posted(port: SlackPort, call: Call, delivery_id: int | None) -> Found | None:
    """The message that the call posted, or None when it surely posted none.

    Raises SlackRefused when that cannot be seen, and another SlackError when it cannot be seen now.
    """
    channel = call.channel
    if _is_person(channel):
        opened = (await port.call("conversations.open", users=channel)).get("channel") or {}
        channel = str(opened.get("id") or "")
    async for message in _since(port, channel, call):
        of = message.get("metadata") or {}
        if of.get("event_type") == EVENT_TYPE and (of.get("event_payload") or {}).get("id") == delivery_id:
            said = Message(str(message.get("text") or ""), message.get("blocks") or [])
            draft = Draft(call.method, call.channel, said, thread_ts=call.thread_ts, mentions=call.mentions)
            return Found(channel, str(message["ts"]), draft)
    return None


async def _since(port: SlackPort, channel: str, call: Call) -> AsyncIterator[dict[str, Any]]:
    """Every message since the call, there or in its thread. Raises SlackRefused when they are too many."""
    arguments: dict[str, Any] = {"channel": channel, "ts": call.thread_ts}
    method = "conversations.replies" if call.thread_ts else "conversations.history"
    oldest = f"{(call.at - SKEW).timestamp():.6f}"
    cursor = None
    for _ in range(PAGES_MAX):
        answer = await port.call(
            method, **arguments, oldest=oldest, limit=PAGE, cursor=cursor, include_all_metadata=True
        )
        for message in answer.get("messages") or ():
            yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return
    raise SlackRefused("too_many_messages")


def _is_person(channel: str) -> bool:
    return channel.startswith(("U", "W"))
