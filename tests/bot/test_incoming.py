"""In which workspace somebody asks: theirs, or the one in whose form they are at work."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot import incoming

SAMPLES = Path(__file__).parents[2].parent / "shared" / "slack" / "payloads"

OURS, THEIRS = {"id": "T0001", "domain": "northwind"}, {"id": "T0009", "domain": "elsewhere", "enterprise_id": "E0009"}
ANA = {"id": "UANA", "team_id": "T0001"}
MODAL = {"type": "modal", "id": "V1", "callback_id": "create", "team_id": "T0001"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"team": OURS, "user": ANA}, ("T0001", "")),
        ({"team": OURS | {"enterprise_id": "E0001"}, "user": ANA}, ("T0001", "E0001")),
        ({"team": OURS, "enterprise": {"id": "E0001"}, "user": ANA}, ("T0001", "E0001")),
        ({"team": None, "enterprise": {"id": "E0001"}, "user": ANA}, ("T0001", "E0001")),
        (
            {
                "team": None,
                "enterprise": {"id": "E0001"},
                "user": ANA | {"team_id": "T0002"},
                "view": MODAL | {"app_installed_team_id": "E0001"},
            },
            ("T0001", "E0001"),
        ),
        ({"team": OURS, "user": ANA, "view": MODAL | {"app_installed_team_id": "T0001"}}, ("T0001", "")),
        (
            # Somebody of another company in a form of ours: their organisation is none of ours.
            {
                "team": THEIRS,
                "enterprise": {"id": "E0009"},
                "user": {"id": "UZOE", "team_id": "T0009"},
                "view": MODAL | {"app_installed_team_id": "T0001", "team_id": "T0009"},
            },
            ("T0001", ""),
        ),
        ({}, ("", "")),
    ],
    ids=["plain", "team tells", "enterprise tells", "no team", "wide form", "our form", "foreign form", "nothing"],
)
def test_where_somebody_acts(body: dict[str, Any], place: tuple[str, str]) -> None:
    for parse in (incoming.form, incoming.button):
        found = parse(body)

        assert (found.workspace_id, found.enterprise_id) == place


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"team_id": "T0001", "enterprise_id": "E0001"}, ("T0001", "E0001")),
        ({"enterprise_id": "E0001"}, ("", "E0001")),
        ({"team_id": "T0009", "authorizations": [{"team_id": "T0001", "enterprise_id": None}]}, ("T0001", "")),
        (
            # In a shared channel: by the installation that Slack tells it to, and not by who wrote it.
            {
                "team_id": "T0009",
                "enterprise_id": "E0009",
                "authorizations": [{"team_id": "T0001", "enterprise_id": None}],
            },
            ("T0001", ""),
        ),
        ({"team_id": "T0001", "authorizations": [{"team_id": None, "enterprise_id": "E0001"}]}, ("T0001", "E0001")),
        (
            {
                "team_id": "T0009",
                "context_team_id": "T0001",
                "authorizations": [{"team_id": None, "enterprise_id": "E0001"}],
            },
            ("T0001", "E0001"),
        ),
    ],
    ids=["plain", "of an organisation", "authorised", "shared channel", "wide", "wide in a shared channel"],
)
def test_where_something_happened(body: dict[str, Any], place: tuple[str, str]) -> None:
    found = incoming.event(body | {"event": {"type": "channel_archive"}, "event_time": 1_772_442_000})

    assert (found.workspace_id, found.enterprise_id) == place
    assert found.happened_at is not None
    assert found.happened_at.timestamp() == 1_772_442_000


@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of Slack's payloads are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("view_submission.org_install_date_time", ("T111", "E111")),
        ("view_closed.org_install", ("T-installed-workspace", "")),
    ],
)
def test_where_slacks_own_samples_act(name: str, place: tuple[str, str]) -> None:
    found = incoming.form(json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8")))

    assert (found.workspace_id, found.enterprise_id) == place


@pytest.mark.parametrize("told", [None, "1772442000", -1, 10**30, 1.5, []])
def test_an_instant_that_is_none_is_left_out(told: Any) -> None:
    assert incoming.event({"event": {"type": "app_uninstalled"}, "event_time": told}).happened_at is None
