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

log = logging.getLogger(__name__)

# After this long a stopping process is ended as it is: whoever stops it waits ten seconds and no longer.
END_SECONDS = 9.5


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

    asyncio.run(main())
    if stopped:
        # On a busy machine Python takes seconds more to take itself apart, which somebody who restarts us waits for.
        _end()


def end_soon() -> None:
    """See to it that the process ends within ten seconds, whatever then still hangs."""
    last_resort = threading.Timer(END_SECONDS, _give_up)
    last_resort.daemon = True
    last_resort.start()


def _give_up() -> None:
    log.error(
        "not everything under way could be finished in %s s; what is left is found at the next start", END_SECONDS
    )
    os._exit(1)


def _end() -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
