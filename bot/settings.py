"""Settings from the environment or `.env`: read once, checked together, never printed."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urljoin, urlsplit

from dotenv.parser import parse_stream
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SLACK_API = "https://slack.com/api/"
FILE = ".env"
# From which share of equal letters on a name may be another one's, such as DATABASE_ULR. Around us others' are usual.
LIKENESS, LIKENESS_AROUND = 0.85, 0.9

HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")

# A token is copied from a page, often with the line's end; with one in it no request could be made.
Token = Annotated[SecretStr, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]


class SettingsProblem(Exception):
    """What is wrong with the environment: a line for each variable, by name, without their values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """What an installation can be told. Field descriptions are the README's settings table."""

    model_config = SettingsConfigDict(
        env_file=FILE, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # May hold a password, so it is kept out of `repr` too.
    database_url: str = Field(
        default="sqlite:///steward.db",
        repr=False,
        description="Where records are kept: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    database_connections: int = Field(
        default=10,
        description="Connections to PostgreSQL that one process opens at most; see `docs/host-it.md` for the sum.",
    )
    host: str = Field(default="127.0.0.1", description="The address that `web` and the sandbox's page listen on.")
    port: int = Field(
        default=3000,
        description="The port of the sandbox's page in `run` and `sandbox`, of HTTP in `web`; 0 takes any free one.",
    )
    slack_bot_token: Token | None = Field(
        default=None, description="The bot token, `xoxb-…`. With the app token it connects `run` to real Slack."
    )
    slack_app_token: Token | None = Field(
        default=None, description="The app-level token, `xapp-…`, with the scope `connections:write`; for `run`."
    )
    slack_signing_secret: Token | None = Field(
        default=None, description="Proves that a request comes from Slack; for `web`."
    )
    slack_client_id: str | None = Field(
        default=None,
        description="The app's client ID, in place of the bot token: serves every workspace that installs Steward.",
    )
    slack_client_secret: Token | None = Field(default=None, description="The client secret that goes with it.")
    steward_encryption_keys: Token | None = Field(
        default=None,
        description="What the tokens of installed workspaces are sealed with: keys that `steward keys new` makes, the "
        "newest first, with commas between them.",
    )
    public_url: str | None = Field(
        default=None,
        description="Where the internet finds `web`, such as `https://steward.example.com`; for installing.",
    )
    slack_api_url: str = Field(default=SLACK_API, description="Where Slack's Web API is; only for a stand-in.")
    metrics_host: str = Field(
        default="127.0.0.1",
        description="The address of `/metrics`, `/healthz` and `/readyz` of each process; nothing for the internet.",
    )
    metrics_port: int | None = Field(
        default=None, description="The port of that address. Without one nothing listens there; 0 takes any free one."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How a line of the log is written: `text`, or `json` for a machine to read."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning",
        description="From where on something is logged: `error`, `warning`, `info` (each interaction and message too) "
        "or `debug`.",
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        from models.database import async_url

        try:
            is_somewhere = async_url(url).database not in (None, "", ":memory:")
        except Exception:
            is_somewhere = False
        if not is_somewhere:
            raise ValueError("write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return url

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _in_any_case(cls, word: Any) -> Any:
        return word.strip().lower() if isinstance(word, str) else word

    @field_validator("port", "metrics_port", mode="before")
    @classmethod
    def _possible_port(cls, port: Any) -> int | None:
        return (
            None if port is None else _number(port, 0, 65535, "write a number from 1 to 65535, or 0 for any free port")
        )

    @field_validator("database_connections", mode="before")
    @classmethod
    def _some_connections(cls, connections: Any) -> int:
        return _number(connections, 2, 1000, "write a number from 2 to 1000")

    @field_validator("slack_api_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"write the whole address, such as {SLACK_API}")
        return url if url.endswith("/") else f"{url}/"

    @field_validator("steward_encryption_keys")
    @classmethod
    def _whole_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is None:
            return None
        from bot.sealing import is_key  # with it comes OpenSSL, which nobody without keys needs

        for number, key in enumerate(_parts(keys) or [""], 1):
            if not is_key(key):
                raise ValueError(f"key {number} is not a whole one; `steward keys new` makes one")
        return keys

    @field_validator("public_url")
    @classmethod
    def _public_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        url = url.strip().rstrip("/")
        if not is_for_slack(url) or "/" in url.partition("://")[2]:
            raise ValueError("write https:// and the host, and nothing after it; http:// only for this machine itself")
        return url

    @property
    def names_slack(self) -> bool:
        """Whether any of Slack's variables is set, whatever it says."""
        return any(name.startswith("slack_") for name in self.model_fields_set)

    @property
    def serves_installed(self) -> bool:
        """Whether every workspace that installs Steward is served, and not the one of a bot token."""
        return bool({"slack_client_id", "slack_client_secret"} & self.model_fields_set)

    @property
    def encryption_keys(self) -> list[str]:
        """The keys, the newest first. Secrets."""
        return _parts(self.steward_encryption_keys)

    @property
    def authorize_url(self) -> str:
        """The page on which people allow Slack to install Steward: beside the Web API, also of a stand-in."""
        return urljoin(self.slack_api_url, "/oauth/v2/authorize")


def is_for_slack(url: str) -> bool:
    """Whether Slack takes the address for an app: https://, or http:// for this machine itself."""
    return wrong_for_slack(url) is None


def wrong_for_slack(url: str) -> str | None:
    """What keeps Slack from taking the address for an app; None where it takes it."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    found = HOST.fullmatch(host)
    wrong = {
        "it is empty, or has a blank in it": url.split() != [url],
        "it does not begin with https:// or http://, in small letters": scheme not in ("https", "http"),
        "what follows a # does not reach Slack": "#" in rest,
        "a user or a password has no place in it": "@" in host,
        "its host is not one": found is None,
        "its port is none from 1 to 65535": found is not None and not 1 <= int((found[2] or ":443")[1:]) <= 65535,
        "with http:// it is of another machine": found is not None and scheme == "http" and not is_loopback(url),
    }
    return next((reason for reason, is_so in wrong.items() if is_so), None)


def is_loopback(url: str) -> bool:
    """Whether the address is of this machine and no other."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


# Which of Slack's variables each way of running needs: with the bot token of one workspace, and for those that install.
NEEDS = {
    "run": ("slack_bot_token", "slack_app_token"),
    "web": ("slack_bot_token", "slack_signing_secret"),
    "worker": ("slack_bot_token",),
    "database": (),
}
OF_INSTALLED = ("slack_client_id", "slack_client_secret", "steward_encryption_keys")
NEEDS_INSTALLED = {
    "run": (*OF_INSTALLED, "slack_app_token"),
    "web": (*OF_INSTALLED, "slack_signing_secret", "public_url"),
    "worker": OF_INSTALLED,
    "database": (),
}
PREFIXES = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}
WHY = {
    "steward_encryption_keys": "to keep tokens; `steward keys new` makes one",
    "public_url": "so that Slack can send people back to it",
}
BOTH_WAYS = (
    "SLACK_BOT_TOKEN: set beside SLACK_CLIENT_ID. Leave the bot token out to serve every workspace that installs "
    "Steward, or the client ID and secret to serve the one of the token."
)


def _number(written: Any, least: int, most: int, sentence: str) -> int:
    """The whole number that was written. Raises ValueError with the sentence when it is none, or out of bounds."""
    digits = str(written).strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and least <= int(digits) <= most):
        raise ValueError(sentence)
    return int(digits)


def load(purpose: str) -> Settings:
    """The settings for `run`, `web`, `worker` or `database` (no Slack). Raises SettingsProblem with all that is wrong.

    For `run` no Slack variable at all is fine: that means the sandbox.
    """
    if unreadable := _file_problems(Path(FILE)):
        raise SettingsProblem(unreadable)
    problems: dict[str, str] = {}
    try:
        settings = Settings()
    except ValidationError as error:
        problems = {str(fault["loc"][0]): _sentence(fault) for fault in error.errors(include_input=False)}
        # With defaults in place of what cannot be read, the rest can be looked at: everything is told at once.
        settings = Settings(**{name: Settings.model_fields[name].default for name in problems})
    # What is wrong with a variable goes before that it is, for want of a good value, not set.
    problems = problems | _slack_problems(settings, purpose) | problems
    if problems:
        raise SettingsProblem(list(problems.values()))
    return settings


def _file_problems(file: Path) -> list[str]:
    """Why the file of settings cannot be read, or which of its lines: what it would have said is not known then."""
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8") as opened:
            broken = [each.original for each in parse_stream(opened) if each.error]
    except OSError as error:
        return [f"{file}: cannot be read: {error.strerror}. Let the user that Steward runs as read it"]
    except UnicodeDecodeError:
        return [f"{file}: cannot be read: it is not text in UTF-8. Save it as such"]
    # Empty lines before a statement count as a part of it.
    lines = [each.line + re.match(r"\s*", each.string)[0].count("\n") for each in broken]  # type: ignore[index]
    return [f"{file}: line {line} is not NAME=VALUE; close what a quotation mark opens" for line in lines]


def unknown_names() -> list[str]:
    """A sentence for each name in the file that sets nothing and was likely meant to; values are not told.

    So for the environment, where a name must be nearly right: most of it is of other programs.
    """
    known = [name.upper() for name in Settings.model_fields]
    written, around = _names_in(Path(FILE)), [name.upper() for name in os.environ]
    told = []
    for name in sorted({*written, *around} - {*known}):
        near = next(
            iter(get_close_matches(name, known, n=1, cutoff=LIKENESS if name in written else LIKENESS_AROUND)), ""
        )
        if name in written:
            bare = name.removeprefix("STEWARD_")
            near = bare if bare in known else near
            is_told = near or name.startswith(("STEWARD_", "SLACK_"))
        else:
            is_told = near and near not in (*written, *around)
        meant = f"Did you mean {near}?" if near else "The names are in .env.example."
        told += [f"{name}: is no setting of Steward, so it sets nothing. {meant}"] if is_told else []
    return told


def _names_in(file: Path) -> list[str]:
    """The names that the file sets, as far as it can be read."""
    try:
        with file.open(encoding="utf-8") as opened:
            return [each.key.upper() for each in parse_stream(opened) if each.key]
    except (OSError, UnicodeDecodeError):
        return []


def _slack_problems(settings: Settings, purpose: str) -> dict[str, str]:
    """What is wrong with Slack's variables, by name."""
    if purpose == "database" or (purpose == "run" and not settings.names_slack):
        return {}
    if settings.serves_installed and settings.slack_bot_token is not None:
        return {"slack_bot_token": BOTH_WAYS}
    problems = {}
    for name in (NEEDS_INSTALLED if settings.serves_installed else NEEDS)[purpose]:
        value: SecretStr | str | None = getattr(settings, name)
        if value is None:
            why = WHY.get(name, "to reach Slack")
            problems[name] = f"{name.upper()}: not set, and `steward {purpose}` needs it {why}"
        elif isinstance(value, SecretStr) and not value.get_secret_value().startswith(PREFIXES.get(name, "")):
            problems[name] = f"{name.upper()}: this is not the right one, which begins with {PREFIXES[name]}"
    return problems


def _parts(keys: SecretStr | None) -> list[str]:
    return [part.strip() for part in keys.get_secret_value().split(",") if part.strip()] if keys else []


def _sentence(fault: Any) -> str:
    said = fault["msg"].removeprefix("Value error, ").replace("Input should be", "write")
    return f"{fault['loc'][0].upper()}: {said}"
