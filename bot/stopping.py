"""How a process runs until it is told to stop, and ends within ten seconds then."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import uvloop

log = logging.getLogger(__name__)

# A stop, in seconds from its beginning. By then people have their answers, and no request is taken any more; the doors
# are shut; what is being sent and drawn is finished or given up; that is noted, and the database is let go of; and
# whatever else hangs is left as it is.
ANSWERED_SECONDS = 3.0
SHUT_SECONDS = 4.0
FINISHED_SECONDS = 5.0
NOTED_SECONDS = 6.0
GONE_SECONDS = 7.0
# A process that has not come so far by now, on a very busy machine or by a fault, is ended as it is: whoever stops it
# waits ten seconds and no longer.
END_SECONDS = 9.0
LAST_WORD_SECONDS = 0.5


class Deadline:
    """The one clock of a stop, handed to every part that takes time then. It begins with the first question."""

    def __init__(self, begun: float | None = None) -> None:
        self._begun = begun

    def left(self, until: float) -> float:
        """How many seconds are left until so many after the stop began; none where that is over."""
        now = asyncio.get_running_loop().time()
        if self._begun is None:
            self._begun = now
        return max(0.0, self._begun + until - now)


class DoorStuck(Exception):
    """Why only a new process can reach Slack again, in a sentence for whoever reads why this one ended."""


def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run the work until it ends, or until SIGTERM or Ctrl+C cancels it and it has cleaned up, within ten seconds.

    Stopped like that, the process ends here.
    """
    stopped = False

    async def main() -> None:
        task = asyncio.ensure_future(work)

        def stop() -> None:
            nonlocal stopped
            stopped = True
            for each in (signal.SIGTERM, signal.SIGINT):
                # Once is enough: a second one would tear what is being finished.
                asyncio.get_running_loop().add_signal_handler(each, lambda: None)
            end_soon()
            task.cancel()

        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stop)
        with suppress(asyncio.CancelledError):
            await task
        if stopped:
            # To wait for whoever was left, and to take Python apart, would take seconds more on a busy machine.
            _end()

    uvloop.run(main())


def end_soon() -> None:
    """See to it that the process ends within ten seconds, whatever then still hangs."""
    last_resort = threading.Timer(END_SECONDS, _give_up)
    last_resort.daemon = True
    last_resort.start()


def _give_up() -> None:
    words = "not everything under way could be finished in %s s; what is left is found at the next start"
    # Beside us: the log may be what hangs.
    telling = threading.Thread(target=log.error, args=(words, END_SECONDS), daemon=True)
    telling.start()
    telling.join(LAST_WORD_SECONDS)
    os._exit(1)


def _end() -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
