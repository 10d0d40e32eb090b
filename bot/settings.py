"""Settings from the environment or `.env`: read once, checked together, never printed."""

from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.database import async_url

SLACK_API = "https://slack.com/api/"


class SettingsProblem(Exception):
    """What is wrong with the environment: one sentence a variable, all at once, no values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """What an installation can be told. Field descriptions are the README's settings table."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="sqlite:///steward.db",
        description="Where records are kept: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    host: str = Field(default="127.0.0.1", description="The address that `web` and the sandbox's page listen on.")
    port: int = Field(
        default=3000, ge=1, le=65535, description="The port of the sandbox's page in `run`, of HTTP in `web`."
    )
    slack_bot_token: SecretStr | None = Field(
        default=None, description="The bot token, `xoxb-…`. With the app token it connects `run` to real Slack."
    )
    slack_app_token: SecretStr | None = Field(
        default=None, description="The app-level token, `xapp-…`, with the scope `connections:write`; for `run`."
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None, description="Proves that a request comes from Slack; for `web`."
    )
    slack_api_url: str = Field(default=SLACK_API, description="Where Slack's Web API is; only for a stand-in.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        try:
            async_url(url)
        except Exception:
            raise ValueError("use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME") from None
        return url

    @field_validator("slack_api_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("write the whole address, such as https://slack.com/api/")
        return url if url.endswith("/") else f"{url}/"

    @property
    def names_slack(self) -> bool:
        """Whether any of Slack's variables is set."""
        return bool(
            self.slack_bot_token or self.slack_app_token or self.slack_signing_secret or self.slack_api_url != SLACK_API
        )


# Which of Slack's variables each way of running needs.
NEEDS = {
    "run": ("slack_bot_token", "slack_app_token"),
    "web": ("slack_bot_token", "slack_signing_secret"),
    "worker": ("slack_bot_token",),
    "database": (),
}
PREFIXES = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}


def load(purpose: str, **overrides: Any) -> Settings:
    """The settings for `run`, `web`, `worker` or `database` (no Slack). Raises SettingsProblem with all that is wrong.

    For `run` no Slack variable at all is fine: that means the sandbox.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsProblem([_sentence(fault) for fault in error.errors(include_input=False)]) from None
    problems = _slack_problems(settings, purpose)
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
            problems.append(f"{name.upper()} is not set, and `steward {purpose}` needs it to reach Slack.")
    for name, prefix in PREFIXES.items():
        secret = getattr(settings, name)
        if secret is not None and not secret.get_secret_value().startswith(prefix):
            problems.append(f"{name.upper()} does not look right: it begins with {prefix}")
    return problems


def _sentence(fault: Any) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else "The environment"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
