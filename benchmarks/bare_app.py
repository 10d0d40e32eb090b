"""The app to be compared with: Bolt as its documentation begins, which acknowledges `/action` and does nothing.

Run as `python -m benchmarks.bare_app PORT API_URL`; the way to it is Steward's own: signed HTTP, Starlette, uvicorn.
"""

import sys

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.slack import SECRET, TOKEN


def application(api_url: str) -> Starlette:
    app = AsyncApp(client=AsyncWebClient(TOKEN, base_url=api_url), signing_secret=SECRET)

    @app.command("/action")
    async def acknowledge(ack: AsyncAck) -> None:
        await ack("Logged")

    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[2]), port=int(sys.argv[1]), log_config=None, access_log=False, lifespan="off")
