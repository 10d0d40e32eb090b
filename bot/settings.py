"""Settings from the environment or `.env`: read once, checked together, never printed."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SLACK_API = "https://slack.com/api/"

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
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # May hold a password, so it is kept out of `repr` too.
    database_url: str = Field(
        default="sqlite:///steward.db",
        repr=False,
        description="Where records are kept: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
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
    slack_api_url: str = Field(default=SLACK_API, description="Where Slack's Web API is; only for a stand-in.")
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

    @field_validator("port", mode="before")
    @classmethod
    def _possible_port(cls, port: Any) -> int:
        digits = str(port).strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
            raise ValueError("write a number from 1 to 65535, or 0 for any free port")
        return int(digits)

    @field_validator("slack_api_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"write the whole address, such as {SLACK_API}")
        return url if url.endswith("/") else f"{url}/"

    @property
    def names_slack(self) -> bool:
        """Whether any of Slack's variables is set, whatever it says."""
        return any(name.startswith("slack_") for name in self.model_fields_set)


# Which of Slack's variables each way of running needs.
NEEDS = {
    "run": ("slack_bot_token", "slack_app_token"),
    "web": ("slack_bot_token", "slack_signing_secret"),
    "worker": ("slack_bot_token",),
    "database": (),
}
PREFIXES = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}


def load(purpose: str) -> Settings:
    """The settings for `run`, `web`, `worker` or `database` (no Slack). Raises SettingsProblem with all that is wrong.

    For `run` no Slack variable at all is fine: that means the sandbox.
    """
    problems = []
    try:
        settings = Settings()
    except ValidationError as error:
        faults = error.errors(include_input=False)
        problems = [_sentence(fault) for fault in faults]
        # With defaults in place of what cannot be read, the rest can be looked at: everything is told at once.
        settings = Settings(**{name: Settings.model_fields[name].default for name in _names(faults)})
    problems += _slack_problems(settings, purpose)
    if problems:
        raise SettingsProblem(problems)
    return settings


def _slack_problems(settings: Settings, purpose: str) -> list[str]:
    if purpose == "database" or (purpose == "run" and not settings.names_slack):
        return []
    problems = []
    for name in NEEDS[purpose]:
        secret: SecretStr | None = getattr(settings, name)
        if secret is None:
            problems.append(f"{name.upper()}: not set, and `steward {purpose}` needs it to reach Slack")
        elif not secret.get_secret_value().startswith(prefix := PREFIXES.get(name, "")):
            problems.append(f"{name.upper()}: this is not the right one, which begins with {prefix}")
    return problems


def _sentence(fault: Any) -> str:
    return f"{fault['loc'][0].upper()}: {fault['msg'].removeprefix('Value error, ')}"


def _names(faults: list[Any]) -> list[str]:
    return [fault["loc"][0] for fault in faults]
