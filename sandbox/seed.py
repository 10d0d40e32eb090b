"""The workspace everyone starts in: six people, four channels, a few messages. Ids are fixed, for tests to name."""

from __future__ import annotations

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


def fresh_workspace(app: App, now: datetime) -> Workspace:
    """Northwind IT with the app installed, its history ending shortly before `now`."""
    started = now - timedelta(days=30)
    workspace = Workspace(TEAM_ID, "Northwind IT", "northwind-it")
    for person in PEOPLE:
        workspace.users[person.id] = _person(person, started)
    install(workspace, app)
    for name, channel_id, kind, members, topic, with_app in CHANNELS:
        workspace.channels[channel_id] = Channel(
            channel_id,
            "private" if kind == "private" else "public",
            name,
            [*members, *([app.bot_user_id] if with_app else [])],
            creator=ANA,
            created=int(started.timestamp()),
            topic=topic,
            is_general=name == "general",
        )
    _tell_history(workspace, now)
    return workspace


def install(workspace: Workspace, app: App) -> None:
    """Give the app its bot user, under the name its manifest says today."""
    workspace.users[app.bot_user_id] = User(
        app.bot_user_id, app.bot_name.lower(), app.bot_name, "America/Los_Angeles", "757575", is_bot=True
    )


def _person(person: User, started: datetime) -> User:
    email = f"{person.name}@northwind-it.example"
    return User(**{**vars(person), "email": email, "updated": int(started.timestamp())})


def _tell_history(workspace: Workspace, now: datetime) -> None:
    for channel_id, hours, author, text in sorted(MESSAGES, key=lambda message: -message[1]):
        channel = workspace.channels[channel_id]
        ts = workspace.new_ts(now - timedelta(hours=hours))
        channel.messages[ts] = person_message(workspace, author, text, ts)
    for channel in workspace.channels.values():
        channel.last_read = dict.fromkeys(channel.members, max(channel.messages, default="0"))
