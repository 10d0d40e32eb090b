"""What is counted and timed in this process, for Prometheus; `bot/operation.py` serves it.

A label says what kind of thing something was, never whose it was or what stood in it: no workspace, person, channel or
word of anybody's is one, so the number of series is fixed by the code and by Slack's list of errors.
"""

from prometheus_client import Counter, Gauge, Histogram

from models.backlog import Backlog
from models.database import Database

QUICKLY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
LATE = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)

ACKNOWLEDGED = Histogram(
    "steward_acknowledgement_seconds",
    "From taking what Slack sent to the acknowledgement; Slack gives up after 3 s.",
    ["kind"],
    buckets=QUICKLY,
)
WORKED = Histogram(
    "steward_request_seconds",
    "Work on what a person did, by what came of it: done, refused or fault.",
    ["kind", "outcome"],
    buckets=(*QUICKLY, 10.0, 30.0),
)
FAULTS = Counter("steward_faults", "Faults of Steward's own that a person was told a reference of.", ["kind"])
TURNED_AWAY = Counter("steward_turned_away", "Requests that the front door turned away.", ["status"])

SLACK_CALLS = Counter("steward_slack_calls", "Calls of Slack's methods by what Slack said.", ["method", "code"])
SLACK_SECONDS = Histogram(
    "steward_slack_call_seconds", "How long Slack took for a call.", ["method"], buckets=(*QUICKLY, 10.0)
)

LATENESS = Histogram("steward_delivery_lateness_seconds", "From due to sent.", ["kind"], buckets=LATE)
NOT_SENT = Counter("steward_deliveries_not_sent", "Tries that sent nothing for sure.", ["kind", "code"])

SOCKET_CONNECTED = Gauge("steward_socket_connected", "1 while something is heard from Slack over Socket Mode.")
SOCKET_OPENED = Counter("steward_socket_opened", "Connections that Slack greeted.")
SOCKET_REPLACED = Counter("steward_socket_replaced", "Connections replaced because nothing was heard on them.")

DELIVERIES = Gauge(
    "steward_deliveries",
    "Messages in the database: due now, late (due for 15 minutes), planned, being sent; parked and unconfirmed ones "
    "of the last 7 days. The same in every process.",
    ["state"],
)
OLDEST_DUE = Gauge("steward_oldest_due_seconds", "For how long the oldest due message has waited. The same everywhere.")
POOL = Gauge("steward_database_connections", "Connections to the database: in use, and at most.", ["state"])


def note_backlog(backlog: Backlog) -> None:
    """Show how the deliveries stand."""
    for state, number in backlog.by_state.items():
        DELIVERIES.labels(state).set(number)
    OLDEST_DUE.set(backlog.oldest_seconds)


def note_pool(database: Database) -> None:
    """Show how many of the database's connections are taken."""
    in_use, at_most = database.connections_in_use()
    POOL.labels("in use").set(in_use)
    POOL.labels("at most").set(at_most)
