"""The workspaces there are: the one everyone starts in, and further ones. Ids are fixed, for tests to name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.manifest import App
from sandbox.objects import person_message
from sandbox.workspace import Channel, User, Workspace

TEAM_ID = "T0000NORTHW"

ANA = "U00000000AN"
BEN = "U00000000BE"
KAVYA = "U00000000KA"
TANE = "U00000000TA"
MIA = "U00000000MI"
OMAR = "U00000000OM"

GENERAL = "C00000000GE"
NETWORK = "C00000000NE"
RANDOM = "C00000000RA"
STEERING = "C00000000ST"

PEOPLE = (
    User(
        ANA, "ana", "Ana Torres", "America/New_York", "9f69e7", title="Head of delivery", is_admin=True, is_owner=True
    ),
    User(BEN, "ben", "Ben Fischer", "Europe/Berlin", "4bbe2e", title="Network engineer"),
    User(KAVYA, "kavya", "Kavya Rao", "Asia/Kolkata", "e7392d", title="Systems engineer"),
    User(TANE, "tane", "Tane Walker", "Pacific/Auckland", "3c989f", title="Security engineer"),
    User(
        MIA,
        "mia",
        "Mia Lopez",
        "America/New_York",
        "d55aef",
        title="Supplier (guest)",
        is_restricted=True,
        is_ultra_restricted=True,
    ),
    User(OMAR, "omar", "Omar Haddad", "Europe/London", "674b1b", title="Left in spring", deleted=True),
)

# name, id, kind, members, topic, does the app belong to it
CHANNELS = (
    ("general", GENERAL, "public", (ANA, BEN, KAVYA, TANE), "News for everyone at Northwind IT", True),
    ("network", NETWORK, "public", (ANA, BEN, KAVYA, TANE, MIA), "Office network renewal", True),
    ("random", RANDOM, "public", (ANA, BEN, KAVYA, TANE), "Everything else", False),
    ("steering", STEERING, "private", (ANA, BEN), "Steering group", False),
)

# channel, hours before the start, author, text
MESSAGES = (
    (
        GENERAL,
        50,
        ANA,
        "Welcome to Northwind IT. Project talk goes to the project's channel, lunch talk to <#C00000000RA|random>.",
    ),
    (NETWORK, 29, BEN, "The new switches arrived. Rack 3 has no free power sockets though."),
    (NETWORK, 28, KAVYA, "I can free two sockets once the old backup server moves out."),
    (NETWORK, 27, TANE, "The firewall supplier still owes us the diagram of the guest network."),
    (NETWORK, 26, MIA, "It is on its way, I will send it as soon as our architect has signed it."),
    (NETWORK, 5, ANA, "<@U00000000BE> can we do the cut-over on a weekend?"),
    (RANDOM, 7, TANE, "The coffee machine on the second floor is alive again :tada:"),
    (STEERING, 8, BEN, "Budget check before Thursday, please."),
)


# Whoever is in a further workspace: name, real name, zone, colour, title. The first is its owner, the last a guest.
FURTHER_PEOPLE = (
    ("zoe", "Zoe Martin", "Europe/Paris", "9f69e7", "Managing director"),
    ("ben", "Ben Okafor", "Africa/Lagos", "4bbe2e", "Site engineer"),
    ("kavya", "Kavya Iyer", "Asia/Singapore", "e7392d", "Planner"),
    ("gus", "Gus Lind", "Europe/Stockholm", "d55aef", "Auditor (guest)"),
)


def fresh_workspace(app: App, now: datetime, *, with_app: bool = True) -> Workspace:
    """Northwind IT, with the app installed unless told otherwise, its history ending shortly before `now`."""
    started = now - timedelta(days=30)
    workspace = Workspace(TEAM_ID, "Northwind IT", "northwind-it")
    for person in PEOPLE:
        workspace.users[person.id] = _person(person, workspace, started)
    if with_app:
        seat(workspace, app)
    for name, channel_id, kind, members, topic, has_app in CHANNELS:
        workspace.channels[channel_id] = Channel(
            channel_id,
            "private" if kind == "private" else "public",
            name,
            [*members, *([app.bot_user_id] if with_app and has_app else [])],
            creator=ANA,
            created=int(started.timestamp()),
            topic=topic,
            is_general=name == "general",
        )
    _tell_history(workspace, now)
    return workspace


def further_workspace(name: str, number: int, now: datetime) -> Workspace:
    """The second workspace and those after it: a small company without the app. Some in it are called as in the first,
    and so are its channels; nothing has the same id."""
    started = now - timedelta(days=30)
    domain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    workspace = Workspace(f"T{number:08d}WS", name, domain)
    for person, real_name, tz, color, title in FURTHER_PEOPLE:
        user = User(f"U{number:08d}{person[:2].upper()}", person, real_name, tz, color, title=title)
        workspace.users[user.id] = _person(user, workspace, started)
    owner, *others, guest = workspace.users.values()
    owner.is_admin = owner.is_owner = True
    guest.is_restricted = True
    full, everyone = [user.id for user in (owner, *others)], [*workspace.users]
    for channel_name, kind, members in (
        ("general", "public", full),
        ("network", "public", everyone),
        ("steering", "private", full[:2]),
    ):
        channel_id = f"C{number:08d}{channel_name[:2].upper()}"
        workspace.channels[channel_id] = Channel(
            channel_id,
            "private" if kind == "private" else "public",
            channel_name,
            list(members),
            creator=owner.id,
            created=int(started.timestamp()),
            is_general=channel_name == "general",
            last_read=dict.fromkeys(members, "0"),
        )
    return workspace


def bot_of(app: App, number: int) -> App:
    """The app with ids of its own for its bot user in a further workspace."""
    return replace(app, bot_user_id=f"U{number:08d}BT", bot_id=f"B{number:08d}BT")


def bot_of_all(app: App, number: int) -> App:
    """The app with ids of its own for its bot user in an organisation, the same in all its workspaces."""
    return replace(app, bot_user_id=f"W{number:08d}BT", bot_id=f"B{number:08d}OR")


def seat(workspace: Workspace, app: App) -> None:
    """Give the app its bot user, under the name its manifest says today."""
    workspace.users[app.bot_user_id] = User(
        app.bot_user_id, app.bot_name.lower(), app.bot_name, "America/Los_Angeles", "757575", is_bot=True
    )


def _person(person: User, workspace: Workspace, started: datetime) -> User:
    email = f"{person.name}@{workspace.domain}.example"
    return User(**{**vars(person), "email": email, "updated": int(started.timestamp())})


def _tell_history(workspace: Workspace, now: datetime) -> None:
    for channel_id, hours, author, text in sorted(MESSAGES, key=lambda message: -message[1]):
        channel = workspace.channels[channel_id]
        ts = workspace.new_ts(now - timedelta(hours=hours))
        channel.messages[ts] = person_message(workspace, author, text, ts)
    for channel in workspace.channels.values():
        channel.last_read = dict.fromkeys(channel.members, max(channel.messages, default="0"))
