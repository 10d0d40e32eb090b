"""The apps to be compared with: Bolt as its documentation begins.

Run as `python -m benchmarks.bare_app PORT API_URL [FILE]`: `/action` is acknowledged and nothing is done, or, with a
file, one row is first stored in an SQLite database there, as simply as one can. The way to it is signed HTTP, by the
library's own server.
"""

import sys
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.slack import SECRET, TOKEN

Store = Callable[[str], Awaitable[None]]


def application(api_url: str, store: Store | None) -> AsyncApp:
    app = AsyncApp(client=AsyncWebClient(TOKEN, base_url=api_url), signing_secret=SECRET)

    @app.command("/action")
    async def acknowledge(ack: AsyncAck, body: dict[str, str]) -> None:
        if store is not None:
            await store(body["text"])
        await ack("Logged")

    return app


def storing(file: str) -> Store:
    """What stores one row, committed before it returns."""
    import sqlite3

    from sqlalchemy import event
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlmodel import Field, SQLModel
    from sqlmodel.ext.asyncio.session import AsyncSession

    class Note(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        text: str

    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR NOT NULL)")
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    async def store(text: str) -> None:
        async with AsyncSession(engine) as session:
            session.add(Note(text=text))
            await session.commit()

    return store


if __name__ == "__main__":
    port, api_url, *files = sys.argv[1:]
    application(api_url, storing(files[0]) if files else None).start(int(port), host="127.0.0.1")
