"""The command `steward`."""

import asyncio
import json
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot.settings import Settings, SettingsProblem, load

app = typer.Typer(
    help="The project coordinator that lives in Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Without = Annotated[
    bool, typer.Option("--without-optional", help="In the sandbox, grant no scope that the manifest calls optional.")
]
Keep = Annotated[Path | None, typer.Option(help="Folder to keep the sandbox's data in, instead of forgetting it.")]


@app.command()
def run(keep: Keep = None, without_optional: Without = False) -> None:
    """Everything in one process: real Slack with tokens, a Slack workspace in your browser without."""
    from bot import run as ways

    settings = _settings("run")
    if settings.names_slack:
        _go(ways.with_slack(settings, typer.echo))
    else:
        _go(ways.with_sandbox(settings, keep, typer.echo, optional_scopes=not without_optional))


@app.command()
def sandbox(
    manifest: Annotated[Path | None, typer.Option(help="The app's manifest, JSON; without one, Steward's.")] = None,
    request_url: Annotated[str | None, typer.Option(help="Post to this address instead of Socket Mode.")] = None,
    keep: Keep = None,
    without_optional: Without = False,
    workspace: Annotated[
        list[str] | None, typer.Option(help="The name of a further workspace; may be given several times.")
    ] = None,
    not_installed: Annotated[
        bool, typer.Option("--not-installed", help="Install the app nowhere: that is done on the authorisation page.")
    ] = False,
) -> None:
    """A Slack workspace on this machine for any Slack app; no Steward in it."""
    from bot import run as ways

    described = _manifest_in(manifest, request_url)
    alone = ways.sandbox_alone(
        _settings("database"),
        described,
        keep,
        request_url,
        typer.echo,
        optional_scopes=not without_optional,
        installed=not not_installed,
        workspaces=workspace or (),
    )
    _go(alone)


@app.command()
def web() -> None:
    """Slack's requests over HTTP, at POST /slack/events; /healthz tells how things are."""
    from bot import run as ways

    _go(ways.web_process(_settings("web"), typer.echo))


@app.command()
def worker() -> None:
    """The clock's work: reminders, and sending what is owed."""
    from bot import run as ways

    _go(ways.worker_process(_settings("worker"), typer.echo))


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema."""
    from bot import migrate as migration
    from bot.run import database_faults, reached

    settings = _settings("database")
    asyncio.run(reached(settings.database_url, typer.echo))
    with _refusals(), database_faults(settings.database_url):
        migration.upgrade(settings.database_url)
    typer.echo(f"The database is at {migration.head()}.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A file that is not there yet.")]) -> None:
    """Write the whole database to a file while Steward runs, and check that it is whole."""
    from bot import backup as backups

    settings = _settings("database")
    with _refusals():
        made = backups.make(settings.database_url, file)
    typer.echo(f"{made} holds everything, {made.stat().st_size // 1024} KiB.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `steward backup` wrote.")]) -> None:
    """Put a backup into a database that is empty or not there yet; what was due before now is not sent again."""
    from bot import backup as backups
    from models.clock import SystemClock

    settings = _settings("database")
    with _refusals():
        backups.restore(file, settings.database_url, now=SystemClock().now())
    typer.echo("Restored. Start Steward again; what was due before now is not sent a second time.")


@app.command()
def doctor() -> None:
    """Look at everything this installation needs, and say what is wrong and what to do; exit status 1 for a fault."""
    _go(_doctor(_settings("database")))


@app.command()
def health() -> None:
    """Whether the database answers and the clock's work goes on, as /healthz says it: exit status 0 or 1."""
    _go(_health(_settings("database")))


@app.command()
def export(
    format: Annotated[str, typer.Option(help="Only json so far.")] = "json",
    workspace: Annotated[str | None, typer.Option(help="Slack's team id, where there are several.")] = None,
    seen_by: Annotated[str | None, typer.Option("--as", help="A Slack user id: only what they may export.")] = None,
) -> None:
    """Everything of a workspace, to standard output."""
    if format != "json":
        _fail(f"There is no format {format!r}; there is json.")
    _go(_export(_settings("database"), workspace, seen_by))


@app.command()
def manifest(
    prefix: Annotated[str, typer.Option(help="Name the commands /PREFIX-action and so on.")] = "",
    request_url: Annotated[str | None, typer.Option(help="For HTTP; without it the app uses Socket Mode.")] = None,
) -> None:
    """The Slack app manifest to paste, on standard output."""
    from bot.manifest import manifest as described

    typer.echo(json.dumps(described(prefix, request_url=request_url), indent=2, ensure_ascii=False))


def main() -> None:
    """Entry point: logs go to standard error, so that an export can be piped."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app()


async def _doctor(settings: Settings) -> None:
    from bot.doctor import Verdict, examine
    from models.clock import SystemClock

    faults = 0
    async for finding in examine(settings, now=SystemClock().now()):
        typer.echo(finding.line())
        faults += finding.verdict is Verdict.FAULT
    if faults:
        typer.echo(f"{faults} to mend.")
        raise typer.Exit(1)
    typer.echo("All is well.")


async def _health(settings: Settings) -> None:
    from bot.run import database_faults, require_database
    from bot.web import health_problem
    from models.database import Database

    require_database(settings.database_url)
    with database_faults(settings.database_url):
        pass  # tried first, for a sentence instead of a traceback
    database = Database(settings.database_url)
    try:
        problem = await health_problem(database)
    finally:
        await database.dispose()
    if problem is not None:
        _fail(problem)
    typer.echo("ok")


async def _export(settings: Settings, workspace_id: str | None, person_id: str | None) -> None:
    from bot.run import CannotStart, migrated_database, require_database
    from models import directory
    from models.permissions import actor_of
    from reports.export import export as report

    require_database(settings.database_url)
    async with migrated_database(settings.database_url) as database:
        known = await database.workspace_ids()
        if workspace_id is None and len(known) != 1:
            raise CannotStart(f"Say which workspace: --workspace {' or '.join(known) or '(there is none yet)'}")
        chosen = workspace_id or known[0]
        if chosen not in known:
            raise CannotStart(f"There is no workspace {chosen} here.")
        async with database.unit(chosen, writes=False) as session:
            actor = None
            if person_id is not None:
                person = await directory.person(session, person_id)
                if person is None:
                    raise CannotStart(f"Nobody here has the id {person_id}.")
                actor = actor_of(person)
            found = await report(session, actor)
    typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))


def _settings(purpose: str) -> Settings:
    try:
        return load(purpose)
    except SettingsProblem as problem:
        for line in problem.problems:
            typer.echo(line, err=True)
        typer.echo("See .env.example for what each setting is.", err=True)
        raise typer.Exit(2) from None


def _go(work: Coroutine[Any, Any, None]) -> None:
    from bot.run import until_stopped

    with _refusals():
        until_stopped(work)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what stops a command, and is nobody's bug, into a sentence."""
    from bot.run import CannotStart
    from bot.slack_port import SlackError, SlackRefused
    from models.errors import StewardError

    try:
        yield
    except (CannotStart, StewardError) as reason:
        _fail(str(reason))
    except SlackRefused as error:
        _fail(f"Slack refused: {error.code}. Check the tokens, and that the app is installed in the workspace.")
    except SlackError as error:
        _fail(f"Slack did not answer ({error.code}). Check the network, and SLACK_API_URL if it is set.")


def _manifest_in(path: Path | None, request_url: str | None) -> dict[str, Any]:
    from bot.manifest import manifest as ours

    if path is None:
        return ours(request_url=request_url)
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _fail(f"{path} cannot be read as a JSON manifest: {error}")
    if not isinstance(described, dict):
        _fail(f"{path} cannot be read as a JSON manifest: it is not an object.")
    return described


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
