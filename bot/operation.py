"""How a process is, for whoever runs it: whether it is well and ready, and its numbers, at an address of its own.

`/metrics` and reasons are nothing for the internet. At the address that Slack posts to stands one word, of a state that
was looked at a moment ago: however often anybody asks there, the database does not hear of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import metrics, migrate
from models.backlog import LATE, backlog
from models.database import Database
from models.database_errors import MAKE_ROOM
from scheduler.runner import HEARTBEAT

log = logging.getLogger(__name__)

HEARTBEAT_MAX = timedelta(seconds=60)
ANSWER_SECONDS = 5
# What the public is told was looked at no longer ago than that, and no sooner again.
KNOWN_SECONDS = 3.0

# What is wrong, in a sentence, or None.
Problem = Callable[[], Awaitable[str | None]]


def application(database: Database, ready: Problem) -> Starlette:
    """`/metrics`, `/healthz` and `/readyz` of a process that is ready when `ready` finds nothing wrong."""

    async def metricsz(request: Request) -> Response:
        metrics.note_pool(database)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                metrics.note_backlog(await backlog(database, now=datetime.now(UTC)))
        except Exception:
            # Its own numbers are worth something without those of the database; what was known of it is not.
            metrics.DELIVERIES.clear()
            metrics.OLDEST_DUE.set(float("nan"))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    def told(find: Problem) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            problem = await find()
            return JSONResponse({"ok": problem is None, "problem": problem}, 200 if problem is None else 503)

        return answer

    routes = {"/metrics": metricsz, "/healthz": told(lambda: health_problem(database)), "/readyz": told(ready)}
    return Starlette(routes=[Route(path, answer) for path, answer in routes.items()])


def states(database: Database) -> list[Route]:
    """`/healthz` and `/readyz` for the public: 200 or 503, and one word. The reason is in the log."""

    def told(name: str, find: Problem) -> Callable[[Request], Awaitable[Response]]:
        state = _State(name, find)

        async def answer(request: Request) -> Response:
            is_good = await state.is_good()
            return PlainTextResponse(name if is_good else f"not {name}", 200 if is_good else 503)

        return answer

    return [
        Route("/healthz", told("well", lambda: health_problem(database))),
        Route("/readyz", told("ready", lambda: ready_problem(database))),
    ]


class _State:
    """Whether `find` finds nothing wrong, as of a few seconds ago; all who ask meanwhile wait for one look."""

    def __init__(self, name: str, find: Problem) -> None:
        self._name = name
        self._find = find
        self._is_good: bool | None = None
        self._known_until = float("-inf")
        self._looking = asyncio.Lock()

    async def is_good(self) -> bool:
        async with self._looking:
            if asyncio.get_running_loop().time() >= self._known_until:
                self._note(await self._find())
                self._known_until = asyncio.get_running_loop().time() + KNOWN_SECONDS
        return bool(self._is_good)

    def _note(self, problem: str | None) -> None:
        """Keep what was found, and log it where it is another than before."""
        if problem is not None and self._is_good is not False:
            log.warning("not %s: %s", self._name, problem)
        elif problem is None and self._is_good is False:
            log.warning("%s again", self._name)
        self._is_good = problem is None


async def ready_problem(database: Database) -> str | None:
    """What keeps a process from taking requests, or None: the database answers, has room and this release's schema."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if await database.is_full(datetime.now(UTC)):
                return MAKE_ROOM
            is_current = await migrate.is_current(database)
    except Exception as error:
        return _no_answer(error)
    return None if is_current else "the database has another schema than this release: run `steward migrate`"


async def health_problem(database: Database) -> str | None:
    """What is wrong with the installation, or None.

    The database answers and has room, the ticker beats, and nothing due is late.
    """
    now = datetime.now(UTC)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if await database.is_full(now):
                return MAKE_ROOM
            problem, waiting = await ticker_problem(database), await backlog(database, now=now)
    except Exception as error:
        return _no_answer(error)
    if problem is None and waiting.oldest_seconds > LATE.total_seconds():
        minutes = int(waiting.oldest_seconds // 60)
        return f"messages have been waiting for {minutes} minutes: look after `steward worker`"
    return problem


async def ticker_problem(database: Database) -> str | None:
    """What is wrong with the clock's work alone, or None when a ticker has beaten lately."""
    beat = await database.last_beat(HEARTBEAT)
    if beat is None:
        return "no ticker has run yet: start `steward run`, or `steward worker` beside `steward web`"
    silent = datetime.now(UTC) - beat
    if silent > HEARTBEAT_MAX:
        return f"the ticker has been silent for {int(silent.total_seconds())} s: look after `steward worker`"
    if silent < -HEARTBEAT_MAX:
        ahead = int(-silent.total_seconds())
        return f"the ticker's last sign of life is {ahead} s from now: see that NTP sets the machines' clocks"
    return None


def _no_answer(error: Exception) -> str:
    return f"the database does not answer ({type(error.__cause__ or error).__name__}): `steward doctor` says more"
