"""The shape of what Slack sends, as far as anything here takes hold of it: checked at the front door.

Everything may be absent or null, and more may be there: Slack adds to its payloads without notice. Only what is there
must be of its kind. https://docs.slack.dev/reference/interaction-payloads/, https://docs.slack.dev/apis/events-api/
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Chosen(_Shape):
    value: str | None = None
    options: list[dict[str, Any]] | None = None


class _File(_Shape):
    id: str | None = None


class _Element(_Shape):
    type: str | None = None
    action_id: str | None = None
    block_id: str | None = None
    value: str | None = None
    selected_option: _Chosen | None = None
    selected_options: list[_Chosen] | None = None
    selected_user: str | None = None
    selected_users: list[str] | None = None
    selected_channel: str | None = None
    selected_conversation: str | None = None
    selected_date: str | None = None
    selected_time: str | None = None
    files: list[_File] | None = None


class _Action(_Element):
    action_id: str


class _State(_Shape):
    values: dict[str, dict[str, _Element]] | None = None


class _View(_Shape):
    type: str
    id: str | None = None
    hash: str | None = None
    callback_id: str | None = None
    private_metadata: str | None = None
    blocks: list[dict[str, Any]] | None = None
    state: _State | None = None


class _Part(_Shape):
    """What may stand in any part of a payload: whom and what it is about, and parts of the same kind."""

    user: str | dict[str, Any] | None = None
    team: str | dict[str, Any] | None = None
    channel: str | dict[str, Any] | None = None
    enterprise: str | dict[str, Any] | None = None
    text: str | None = None
    blocks: list[dict[str, Any]] | None = None
    item: "_Part | None" = None
    message: "_Part | None" = None
    previous_message: "_Part | None" = None
    assistant_thread: "_Part | None" = None


class _Event(_Part):
    type: str


class _Payload(_Part):
    type: str | None = None
    callback_id: str | None = None
    action_id: str | None = None
    value: str | None = None
    actions: Annotated[list[_Action], Field(min_length=1)] | None = None
    container: dict[str, Any] | None = None
    # Bolt takes hold of these two as soon as they are named.
    view: _View = Field(default_factory=_View.model_construct)
    event: _Event = Field(default_factory=_Event.model_construct)
    authorizations: list[_Part] | None = None


def is_shaped(payload: Mapping[str, Any]) -> bool:
    """Whether every part of the payload that Steward looks at is of its kind."""
    try:
        _Payload.model_validate(payload)
    except (ValidationError, RecursionError):
        return False
    return True
