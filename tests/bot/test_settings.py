"""Settings: from the environment or `.env`, checked together, told by name, and never shown."""

import re
from pathlib import Path
from unittest.mock import Mock

import pytest

from bot.assemble import Slack
from bot.sealing import new_key
from bot.settings import SLACK_API, Settings, SettingsProblem, load, misspelt

BOT, APP, SIGNING = "xoxb-1-hunter2", "xapp-1-hunter2", "hunter2-signing"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def problems(purpose: str) -> list[str]:
    with pytest.raises(SettingsProblem) as refused:
        load(purpose)
    return refused.value.problems


def test_without_variables_there_is_a_sandbox_on_this_machine_and_a_file_for_the_data() -> None:
    settings = load("run")

    assert not settings.names_slack
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 3000, "sqlite:///steward.db")
    assert settings.slack_api_url == SLACK_API


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        DATABASE_URL="postgres://steward:hunter2@db.example/log",
        HOST="0.0.0.0",
        PORT="8080",
        SLACK_BOT_TOKEN=BOT,
        SLACK_APP_TOKEN=APP,
        SLACK_SIGNING_SECRET=SIGNING,
        SLACK_API_URL="http://127.0.0.1:3000/api",
    )

    for purpose in ("run", "web", "worker", "database"):
        settings = load(purpose)
        assert settings.names_slack
        assert (settings.host, settings.port) == ("0.0.0.0", 8080)
        assert settings.slack_api_url == "http://127.0.0.1:3000/api/"
        assert settings.slack_bot_token is not None
        assert settings.slack_bot_token.get_secret_value() == BOT


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_postgresql_are_taken(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    set_all(monkeypatch, DATABASE_URL=f"{scheme}://steward@db.example/log")

    assert load("database").database_url == f"{scheme}://steward@db.example/log"


def test_variables_are_read_from_a_file_and_the_environment_goes_first(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installation / ".env").write_text("PORT=4000\nHOST=127.0.0.2\nUNRELATED=1\n")
    set_all(monkeypatch, PORT="5000")

    assert (load("run").port, load("run").host) == (5000, "127.0.0.2")


def test_all_problems_are_told_at_once_each_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        DATABASE_URL="mysql://steward:hunter2@db.example/log",
        PORT="hunter2",
        SLACK_API_URL="hunter2",
        SLACK_BOT_TOKEN="hunter2",
    )

    told = problems("run")

    assert [line.partition(":")[0] for line in told] == [
        "DATABASE_URL",
        "PORT",
        "SLACK_API_URL",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
    ]
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://db.example/log", "sqlite://", "sqlite:///:memory:", "postgres://db.example", "://"]
)
def test_a_database_that_is_none_of_ours_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, DATABASE_URL=url or " ")

    assert problems("database") == ["DATABASE_URL: write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"]


@pytest.mark.parametrize("port", ["-1", "65536", "3000.5", "three", "٣٠٠٠", "9" * 5000, "0x10"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    set_all(monkeypatch, PORT=port)

    assert problems("run") == ["PORT: write a number from 1 to 65535, or 0 for any free port"]


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("SLACK_BOT_TOKEN", BOT, ["SLACK_APP_TOKEN"]),
        ("SLACK_APP_TOKEN", APP, ["SLACK_BOT_TOKEN"]),
        ("SLACK_SIGNING_SECRET", SIGNING, ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ("SLACK_API_URL", "http://127.0.0.1:3000/api/", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ("SLACK_API_URL", SLACK_API, ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
    ],
)
def test_one_slack_variable_alone_is_never_a_silent_sandbox(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, missing: list[str]
) -> None:
    set_all(monkeypatch, **{variable: value})

    told = problems("run")

    assert told == [f"{name}: not set, and `steward run` needs it to reach Slack" for name in missing]


@pytest.mark.parametrize(
    ("purpose", "missing"),
    [("web", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]), ("worker", ["SLACK_BOT_TOKEN"]), ("database", [])],
)
def test_each_way_of_running_asks_for_what_it_needs(purpose: str, missing: list[str]) -> None:
    told = problems(purpose) if missing else []

    assert [line.partition(":")[0] for line in told] == missing
    if not missing:
        assert load(purpose)


def test_tokens_in_each_others_place_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SLACK_BOT_TOKEN=APP, SLACK_APP_TOKEN=BOT)

    assert problems("run") == [
        "SLACK_BOT_TOKEN: this is not the right one, which begins with xoxb-",
        "SLACK_APP_TOKEN: this is not the right one, which begins with xapp-",
    ]


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="", PORT="")

    assert load("run").port == 3000
    assert not load("run").names_slack


def test_the_end_of_a_copied_line_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, SLACK_BOT_TOKEN=f" {BOT}\n", SLACK_APP_TOKEN=f"{APP}\r\n")

    settings = load("run")

    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == BOT


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither printed, nor in a log line, nor in a traceback with values."""
    set_all(
        monkeypatch,
        DATABASE_URL="postgresql://steward:hunter2@db.example/log",
        SLACK_BOT_TOKEN=BOT,
        SLACK_APP_TOKEN=APP,
        SLACK_SIGNING_SECRET=SIGNING,
    )

    settings = load("run")

    assert "hunter2" not in f"{settings} {settings!r}"
    assert "hunter2" not in repr(Slack(BOT, settings.slack_api_url, SIGNING))


def test_settings_cannot_be_changed() -> None:
    settings = load("run")

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


# ---- every workspace that installs Steward ---------------------------------------------------------------------------

INSTALLING = {
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "hunter2-client",
    "SLACK_SIGNING_SECRET": SIGNING,
    "STEWARD_ENCRYPTION_KEYS": "",
    "PUBLIC_URL": "https://steward.example",
}


def set_installing(monkeypatch: pytest.MonkeyPatch, **others: str) -> list[str]:
    keys = [new_key(), new_key()]
    set_all(monkeypatch, **(INSTALLING | {"STEWARD_ENCRYPTION_KEYS": ", ".join(keys)} | others))
    return keys


@pytest.mark.parametrize("purpose", ["run", "web", "worker"])
def test_with_a_client_id_no_bot_token_is_needed(monkeypatch: pytest.MonkeyPatch, purpose: str) -> None:
    keys = set_installing(monkeypatch, SLACK_APP_TOKEN=APP)

    settings = load(purpose)

    assert settings.serves_installed
    assert settings.encryption_keys == keys
    assert settings.authorize_url == "https://slack.com/oauth/v2/authorize"
    assert "hunter2" not in repr(settings)
    assert keys[0] not in repr(settings)


@pytest.mark.parametrize(
    ("purpose", "missing"),
    [
        ("run", ["SLACK_CLIENT_ID", "STEWARD_ENCRYPTION_KEYS", "SLACK_APP_TOKEN"]),
        ("web", ["SLACK_CLIENT_ID", "STEWARD_ENCRYPTION_KEYS", "SLACK_SIGNING_SECRET", "PUBLIC_URL"]),
        ("worker", ["SLACK_CLIENT_ID", "STEWARD_ENCRYPTION_KEYS"]),
    ],
)
def test_installing_asks_for_all_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, purpose: str, missing: list[str]
) -> None:
    set_all(monkeypatch, SLACK_CLIENT_SECRET="hunter2-client")

    assert [line.partition(":")[0] for line in problems(purpose)] == missing


@pytest.mark.parametrize("purpose", ["run", "web", "worker"])
def test_one_workspace_and_all_that_install_are_not_served_together(
    monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    set_installing(monkeypatch, SLACK_BOT_TOKEN=BOT)

    [told] = problems(purpose)

    assert told.startswith("SLACK_BOT_TOKEN: set beside SLACK_CLIENT_ID. Leave the bot token out to serve every")


@pytest.mark.parametrize("keys", ["hunter2", ",", "{good},hunter2", "{good}x", "{good};{good}"])
def test_a_key_that_is_not_whole_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    good = new_key()
    set_installing(monkeypatch, STEWARD_ENCRYPTION_KEYS=keys.format(good=good))

    told = problems("worker")[0]

    assert re.fullmatch(r"STEWARD_ENCRYPTION_KEYS: key [12] is not a whole one; `steward keys new` makes one", told)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://steward.example", True),
        ("https://steward.example:8443/", True),
        ("http://127.0.0.1:3000", True),
        ("http://localhost:3000", True),
        ("http://[::1]:3000", True),
        ("http://steward.example", False),
        ("http://127.0.0.1.example", False),
        ("steward.example", False),
        ("ftp://steward.example", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://steward.example/slack", False),
        ("https://steward.example?x=1", False),
        ("https://ana@steward.example", False),
        ("https://steward.example\n.evil", False),
    ],
)
def test_the_public_address_is_a_safe_one(monkeypatch: pytest.MonkeyPatch, url: str, is_good: bool) -> None:
    set_installing(monkeypatch, PUBLIC_URL=url)

    if is_good:
        assert load("web").public_url == url.rstrip("/")
    else:
        assert problems("web")[0].startswith("PUBLIC_URL: write https:// and the host")


def test_the_page_that_allows_an_installation_stands_beside_the_web_api(monkeypatch: pytest.MonkeyPatch) -> None:
    set_installing(monkeypatch, SLACK_API_URL="http://127.0.0.1:3000/api")

    assert load("web").authorize_url == "http://127.0.0.1:3000/oauth/v2/authorize"


def test_what_cannot_be_read_is_not_called_unset_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "8f742231b10e8888abcd99yyyzzz85a5")
    monkeypatch.setenv("STEWARD_ENCRYPTION_KEYS", "half")
    monkeypatch.setenv("PUBLIC_URL", "steward.example.com")
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(SettingsProblem) as raised:
        load("web")

    named = [each.partition(":")[0] for each in raised.value.problems]
    assert named == ["STEWARD_ENCRYPTION_KEYS", "PUBLIC_URL", "LOG_FORMAT"]
    assert "LOG_FORMAT: write 'text' or 'json'" in raised.value.problems
    assert "not set" not in str(raised.value)


def test_a_file_with_a_slip_is_refused_by_line_and_never_a_silent_sandbox(installation: Path) -> None:
    (installation / ".env").write_text(f'# Slack\n\nSLACK_BOT_TOKEN="{BOT}\nPORT=3100\nnot a setting\n')

    told = problems("run")

    assert [line.partition(" is not")[0] for line in told] == [".env: line 3", ".env: line 5"]
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (None, "it is not text in UTF-8")],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    installation: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError | None, reason: str
) -> None:
    (installation / ".env").write_bytes(b"PORT=3100\nSLACK_BOT_TOKEN=\xff\n")
    if fault is not None:
        monkeypatch.setattr(Path, "open", Mock(side_effect=fault))

    (told,) = problems("database")

    assert told.startswith(f".env: cannot be read: {reason}.")


def test_a_misspelt_name_is_told_and_anything_else_is_not(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation / ".env").write_text("DATABASE_ULR=sqlite:///a.db\nport=3100\nPOSTGRES_PASSWORD=x\nHOSTNAME=x\n")
    monkeypatch.setenv("SLACK_BOT_TOKN", BOT)

    assert misspelt() == {"DATABASE_ULR": "DATABASE_URL", "SLACK_BOT_TOKN": "SLACK_BOT_TOKEN"}
