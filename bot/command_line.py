"""The command `steward`."""

import asyncio
import json
import os
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot import loading
from bot.settings import Settings, SettingsProblem, load, unknown_names, wrong_for_slack

app = typer.Typer(
    help="The project coordinator that lives in Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes give a flag a type, which reads as if a word had to follow
)

# Whether logs are ours to write, because this is no guest in another program.
is_program = False

Without = Annotated[
    bool, typer.Option("--without-optional", help="In the sandbox, grant no scope that the manifest calls optional.")
]
WhileRunning = Annotated[
    bool, typer.Option("--while-running", help="Go on although Steward is running on this database.")
]
Keep = Annotated[Path | None, typer.Option(help="Folder to keep the sandbox's data in, instead of forgetting it.")]


@app.command()
def run(keep: Keep = None, without_optional: Without = False) -> None:
    """Everything in one process: real Slack with tokens, a Slack workspace in your browser without."""
    from bot import run as ways

    settings = _settings("run")
    if settings.names_slack:
        _serve(ways.with_slack(settings, typer.echo))
    else:
        _serve(ways.with_sandbox(settings, keep, typer.echo, optional_scopes=not without_optional))


@app.command()
def sandbox(
    manifest: Annotated[Path | None, typer.Option(help="The app's manifest, JSON; without one, Steward's.")] = None,
    request_url: Annotated[str | None, typer.Option(help="Post to this address instead of Socket Mode.")] = None,
    keep: Keep = None,
    without_optional: Without = False,
    workspace: Annotated[
        list[str] | None, typer.Option(help="The name of a further workspace; may be given several times.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(help="The name of an organisation that all workspaces belong to.")
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
        organisation=organisation,
    )
    _serve(alone)


@app.command()
def web() -> None:
    """Slack's requests over HTTP, at POST /slack/events; /healthz and /readyz tell how things are."""
    from bot import run as ways

    _serve(ways.web_process(_settings("web"), typer.echo))


@app.command()
def worker() -> None:
    """The clock's work: reminders, and sending what is owed."""
    from bot import run as ways

    _serve(ways.worker_process(_settings("worker"), typer.echo))


@app.command()
def migrate(
    to: Annotated[
        str | None,
        typer.Option(help="A step to go up or back to, such as 0018; base takes everything away."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before going back.")] = False,
    while_running: WhileRunning = False,
) -> None:
    """Bring the database to this release's schema; or to another step of it, also back."""
    from bot import migrate as migration
    from bot.opening import database_faults, reached, require_database, require_stopped, running_at

    url = _settings("database").database_url
    with _refusals():
        if to is not None:
            require_database(url)
        asyncio.run(reached(url, typer.echo))
        with database_faults(url):
            undone = migration.steps_back(url, to) if to else {}
            is_moving = migration.current(url) not in (None, to or migration.head())
        if undone and not while_running:
            require_stopped(url)
        elif is_moving and (running := running_at(url)):
            typer.echo(f"{running} What runs of another release may fail until it is started anew.")
        if to and undone:
            _agree_to_go_back(to, undone, is_agreed=yes)
        with database_faults(url):
            if to and undone:
                migration.downgrade(url, to)
            elif to != migration.BASE:
                migration.upgrade(url, to)
    typer.echo(f"The database is at {to or migration.head()}.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A file that is not there yet.")]) -> None:
    """Write the whole database to a file while Steward runs, and check that it is whole."""
    from bot import backup as backups

    settings = _settings("database")
    with _refusals():
        made = backups.make(settings.database_url, file)
    typer.echo(f"{made} holds everything, {made.stat().st_size // 1024:,} KiB.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `steward backup` wrote.")]) -> None:
    """Put a backup into a database that is empty or not there yet; what was due before now is not sent again."""
    from bot import backup as backups
    from models.clock import SystemClock

    settings = _settings("database")
    with _refusals():
        backups.restore(file, settings.database_url, now=SystemClock().now())
    typer.echo("Restored. Start Steward again; what was due before now is not sent a second time.")


keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The keys in STEWARD_ENCRYPTION_KEYS.")
app.add_typer(keys, name="keys")


@keys.command("new")
def new_key() -> None:
    """A new key, on standard output: to be put in front of those there are."""
    from bot.sealing import new_key as made

    typer.echo(made())


@keys.command("renew")
def renew_seals() -> None:
    """Seal every stored token with the newest key, while Steward runs; afterwards the older keys can be left out."""
    _go(_renew_seals(_settings("database")))


@keys.command("forget")
def forget_tokens(
    installation: Annotated[str, typer.Argument(help="T… or E…, as it was told.")],
    although_they_open: Annotated[bool, typer.Option("--although-they-open", help="Erase good tokens too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase the tokens of an installation that do not open any more; installing there again brings it back."""
    settings = _settings("database")
    if not yes:
        _ask_to_erase(installation)
    _go(_forget_tokens(settings, installation, although_they_open=although_they_open))


@app.command()
def doctor() -> None:
    """Look at everything this installation needs, and say what is wrong and what to do; exit status 1 for a fault."""
    _go(_doctor(_settings("database", tells_unknown=False)))


@app.command()
def health() -> None:
    """Whether the database answers and the clock's work goes on, as /healthz says it: exit status 0 or 1."""
    _go(_health(_settings("database")))


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(help="A file that is not there yet, for `steward import`; .gz packs it.")
    ] = None,
    format: Annotated[str, typer.Option(help="Without a file: only json so far.")] = "json",
    workspace: Annotated[str | None, typer.Option(help="Slack's team id, where there are several.")] = None,
    seen_by: Annotated[
        str | None, typer.Option("--as", help="Without a file: a Slack user id, and only what they may export.")
    ] = None,
) -> None:
    """All of a workspace: to a file that `steward import` takes, or its log to read, to standard output."""
    if format != "json":
        _fail(f"There is no format {format!r}; there is json.")
    settings = _settings("database")
    if file is None:
        _go(_export(settings, workspace, seen_by))
        return
    if seen_by is not None:
        _fail("A file holds all of a workspace. For what one person may export, leave the file out.")
    from bot import carry
    from models.clock import SystemClock

    with _refusals():
        made = carry.write(settings.database_url, workspace, file, now=SystemClock().now())
    typer.echo(f"{file} holds all of {made.workspace_id} ({made.name}): {made.rows:,} rows.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What `steward export FILE` wrote.")], while_running: WhileRunning = False
) -> None:
    """Store the workspace of a file, also beside others; what was due before now is not sent from here."""
    from bot import carry
    from bot.opening import require_database, require_stopped
    from models.clock import SystemClock
    from models.database import sqlite_path

    settings = _settings("database")
    url = settings.database_url
    with _refusals():
        require_database(url)
        # SQLite has one writer, which an import holds for as long as it takes; PostgreSQL lets the others go on.
        if sqlite_path(url) is not None and not while_running:
            require_stopped(url)
        made = carry.read(url, file, now=SystemClock().now())
    typer.echo(f"{made.workspace_id} ({made.name}) is here: {made.rows:,} rows. What was due before now is not sent.")


@app.command()
def erase(
    person: Annotated[str | None, typer.Option(help="Slack's user id of somebody whose traces shall go.")] = None,
    workspace: Annotated[
        str | None, typer.Option(help="Slack's team id: of the person's, where there are several; alone, all of it.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="Another name or e-mail address of theirs; may be given several times.")
    ] = None,
    spare: Annotated[
        list[str] | None, typer.Option(help="A name of theirs that is an ordinary word: only @WORD goes.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go, by table.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a person out of everything that Steward keeps, or delete a whole workspace. There is no way back."""
    from bot import erase as erasing

    settings = _settings("database")
    whom = person or workspace or _fail("Say who shall be erased: --person U… or a whole workspace, --workspace T…")
    if not (yes or dry_run):
        _go(erasing.introduce(settings, workspace, person, typer.echo))
        _ask_to_erase(whom)
    if person is None:
        _go(erasing.workspace(settings, whom, typer.echo, only_counts=dry_run))
    else:
        told = {"also": also or (), "spared": spare or ()}
        _go(erasing.person(settings, workspace, person, typer.echo, only_counts=dry_run, **told))


@app.command()
def manifest(
    prefix: Annotated[str, typer.Option(help="Name the commands /PREFIX-action and so on.")] = "",
    request_url: Annotated[str | None, typer.Option(help="For HTTP; without it the app uses Socket Mode.")] = None,
    redirect_url: Annotated[str | None, typer.Option(help="For many workspaces: where installing ends.")] = None,
) -> None:
    """The Slack app manifest to paste, on standard output."""
    from bot.manifest import manifest as made
    from bot.manifest import wrong_with_prefix

    if reason := wrong_with_prefix(prefix):
        _fail(f"--prefix: {reason}.")
    for option, url in (("--request-url", request_url), ("--redirect-url", redirect_url)):
        if url is not None and (reason := wrong_for_slack(url)):
            rule = "Write https:// and the rest of the address; http:// only for this machine itself."
            _fail(f"{option}: {reason}. {rule}")
    described = made(prefix, request_url=request_url, redirect_url=redirect_url)
    typer.echo(json.dumps(described, indent=2, ensure_ascii=False))


# The list of commands has all of each sentence; its beginning alone may say something else.
for _each in (*app.registered_commands, *keys.registered_commands):
    _each.short_help = (_each.callback and _each.callback.__doc__) or ""


def main() -> None:
    """Entry point: logs go to standard error, so that an export can be piped. Files made are for their user alone."""
    global is_program
    is_program = True
    os.umask(0o077)
    loading.begin()
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


async def _renew_seals(settings: Settings) -> None:
    from bot.opening import CannotStart, migrated_database, require_database
    from bot.sealing import Seal, renew

    if not settings.encryption_keys:
        raise CannotStart("STEWARD_ENCRYPTION_KEYS is not set, so there is nothing to seal with.")
    require_database(settings.database_url)
    async with migrated_database(settings.database_url) as database:
        renewed = await renew(database, Seal(settings.encryption_keys))
    typer.echo(f"Every stored token is sealed with the newest key ({renewed} sealed anew).")


async def _forget_tokens(settings: Settings, installation_id: str, *, although_they_open: bool) -> None:
    from bot import removal
    from bot.opening import CannotStart, migrated_database, require_database
    from bot.sealing import require_closed
    from models import installations, purging
    from models.clock import SystemClock

    require_database(settings.database_url)
    now = SystemClock().now()
    async with migrated_database(settings.database_url) as database:
        if not although_they_open:
            for each in await installations.everywhere(database):
                if each.id == installation_id:
                    require_closed(each, settings.encryption_keys)
        if not await removal.remove(database, installation_id, now=now):
            raise CannotStart(f"Steward was never installed in {installation_id}.")
    typer.echo(
        f"The tokens of {installation_id} are erased. Install Steward there again: otherwise what it stored goes "
        f"{purging.KEPT.days} days after they were erased."
    )


async def _health(settings: Settings) -> None:
    from bot.opening import database_faults, require_database
    from bot.operation import health_problem
    from models.database import Database

    require_database(settings.database_url)
    with database_faults(settings.database_url):
        pass  # tried first, for a sentence instead of a traceback
    async with Database(settings.database_url) as database:
        problem = await health_problem(database)
    if problem is not None:
        _fail(problem)
    typer.echo("ok")


async def _export(settings: Settings, workspace_id: str | None, person_id: str | None) -> None:
    from bot.opening import CannotStart, chosen_workspace, migrated_database, require_database
    from models import directory
    from models.permissions import actor_of
    from reports.export import export as report

    require_database(settings.database_url)
    async with migrated_database(settings.database_url) as database:
        chosen = await chosen_workspace(database, workspace_id)
        async with database.unit(chosen, writes=False) as session:
            actor = None
            if person_id is not None:
                person = await directory.person(session, person_id)
                if person is None:
                    raise CannotStart(f"Nobody here has the id {person_id}.")
                actor = actor_of(person)
            found = await report(session, actor)
    typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))


def _settings(purpose: str, *, tells_unknown: bool = True) -> Settings:
    """The settings; what is wrong with them, and names among them that set nothing, on standard error."""
    try:
        settings = load(purpose)
    except SettingsProblem as problem:
        for line in (*problem.problems, *unknown_names()):
            typer.echo(line, err=True)
        typer.echo("See .env.example for what each setting is.", err=True)
        raise typer.Exit(2) from None
    for line in unknown_names() if tells_unknown else ():
        typer.echo(line, err=True)
    if is_program:
        from bot import logs

        logs.configure(settings)
        loading.end()
    return settings


def _serve(work: Coroutine[Any, Any, None]) -> None:
    """Do what goes on until it is stopped, and ends well by that."""
    from bot.stopping import until_stopped

    with _refusals():
        until_stopped(work)


def _go(work: Coroutine[Any, Any, None]) -> None:
    """Do what has an end of its own: a script must not take being interrupted for that."""
    try:
        with _refusals():
            asyncio.run(work)
    except KeyboardInterrupt:
        _fail("Interrupted before its end: run the same command again.")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what stops a command, and is nobody's bug, into a sentence."""
    from bot.opening import CannotStart
    from bot.slack_port import SlackError, SlackRefused
    from bot.stopping import DoorStuck
    from models.errors import StewardError
    from scheduler.runner import ClockStuck

    try:
        yield
    except (CannotStart, ClockStuck, DoorStuck, StewardError) as reason:
        _fail(str(reason))
    except OSError as error:
        if error.filename is None:
            raise
        rights = "Name another file, or give this user the right to it and to the folders above."
        _fail(f"{error.filename} cannot be used: {error.strerror}. {rights}")
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


def _agree_to_go_back(to: str, undone: Mapping[str, str], *, is_agreed: bool) -> None:
    """Show which steps are undone, and go on only when somebody says that they want that."""
    typer.echo(f"Back to {to}, latest first:")
    for step, did in undone.items():
        typer.echo(f"  {step}  {did}")
    typer.echo(
        "What only these steps can hold is removed for good" + (", which is everything." if to == "base" else ".")
    )
    if is_agreed:
        return
    typer.echo("Stop every process of Steward, and make a backup first: steward backup FILE")
    if typer.prompt(f"Type {to} to go on", default="", show_default=False).strip() != to:
        _fail("Nothing was changed.")


def _ask_to_erase(whom: str) -> None:
    """Go on only when somebody types the id again."""
    if typer.prompt(f"Erasing cannot be undone. Type {whom} again") != whom:
        _fail("That is another id. Nothing was erased.")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
