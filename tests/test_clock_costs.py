"""The clock's work costs what is due, not what is stored: no statement of it reads a whole table, on either engine.

The statements are those that every job in `JOBS`, the ticker and the sender send, captured as they go.
"""

from sqlalchemy import text

from benchmarks.clockwork import NIGHT, NINE, fill
from benchmarks.plans import Watch, scans
from benchmarks.tick import HandClock, claim_some, looks
from models.database import Database
from scheduler.jobs import JOBS
from scheduler.runner import Runner

RECORDS, DUE, FINISHED = 20_000, 60, 5_000
# Few enough to be read whole.
SMALL = 1_000


async def test_no_statement_of_the_clock_reads_a_whole_table(database: Database) -> None:
    """Where this fails, the message names the job, the table, the statement and its plan.

    What is missing is an index that begins with what the statement filters by.
    """
    await fill(database, records=RECORDS, due=DUE, finished=FINISHED)
    clock, watch = HandClock(NIGHT), Watch()
    runner = Runner(database, clock=clock, wall=clock, wake=lambda: None)

    for at in (NIGHT, NINE):
        clock.at = at
        await looks(database, runner, clock, watch)
    await claim_some(database, clock.at, watch)

    assert runner.failures == {}
    assert {f"the job {job.id!r}" for job in JOBS} <= {sent.during for sent in watch.sent}
    assert "\n\n".join(str(scan) for scan in await scans(database, [*watch.sent], rows=SMALL)) == ""
    await _the_check_sees_what_is_missing(database, watch)


async def _the_check_sees_what_is_missing(database: Database, watch: Watch) -> None:
    async with database.engine.begin() as connection:
        for index in ("ix_delivery_due", "ix_seen_request_age"):
            await connection.execute(text(f"DROP INDEX {index}"))

    await database.dispose()  # SQLite would explain statements that it knows as before

    found = await scans(database, [*watch.sent], rows=SMALL)

    named = {
        (scan.sent.during, table) for scan in found for table in ("delivery", "seen_request") if table in scan.what
    }
    assert {("a claim", "delivery"), ("the question of /healthz", "delivery"), ("a look", "seen_request")} <= named
