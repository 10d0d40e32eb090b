"""The pages for installing: whoever comes the whole way installs Steward, and whatever else arrives changes nothing."""

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message

from bot import bolt_app, web
from bot.installed import InstalledWorkspaces
from bot.manifest import SCOPES
from bot.oauth import COOKIE, Installing
from bot.sealing import Seal, new_key
from bot.slack_port import SlackError, SlackNotSent, SlackRefused, SlackUnknown
from models import installations
from models.database import Database
from models.tables import Workspace
from tests.support import FixedClock
from tests.support_installations import TokenGiver, an_answer

INSTALL, BACK = "/slack/install", "/slack/oauth_redirect"
KEY = new_key()
MARK = "Z3bra"

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def title(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    """Goes to the application's pages, and keeps its cookies."""

    application: Starlette
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, query: str = "", *, method: str = "GET", headers: Any = ()) -> Answer:
        started: dict[str, Any] = {}
        body = bytearray()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = [*headers, *([(b"cookie", cookies.encode())] if cookies else [])]
        coming: Iterator[Message] = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            started.update(message)
            body.extend(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": "",
            "headers": given,
            "client": ("203.0.113.9", 4711),
            "server": ("127.0.0.1", 3000),
        }
        await self.application(scope, receive, send)
        pairs = [(name.decode(), value.decode()) for name, value in started["headers"]]
        for name, value in pairs:
            if name == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies.pop(key, None)
                    if morsel["max-age"] != "0":
                        self.cookies[key] = morsel.value
        return Answer(started["status"], dict(pairs), body.decode())

    async def begin(self) -> dict[str, str]:
        """Press the button; what Slack is asked."""
        sent = await self.get(INSTALL, method="POST")
        assert sent.status == 303
        return {key: values[0] for key, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}

    async def come_back(self, **query: str) -> Answer:
        return await self.get(BACK, urlencode(query))


class Doorstep:
    """The pages over a database, with a Slack that gives tokens as the test says."""

    def __init__(self, database: Database, clock: FixedClock, public_url: str = "https://steward.example") -> None:
        self.database, self.clock = database, clock
        self.slack = TokenGiver()
        self.installed = InstalledWorkspaces(database, Seal([KEY]), self.slack, self.slack.as_bot, clock=clock)  # type: ignore[arg-type]
        pages = Installing(
            database,
            self.installed,
            client_id="1.2",
            public_url=public_url,
            authorize_url="https://slack.com/oauth/v2/authorize",
            clock=clock,
        )
        bolt = bolt_app.build(_nobody, _nobody, signing_secret="x", api_url="http://127.0.0.1:9/api/")
        self.application = web.application(bolt, database, "x", pages=pages.routes())

    def browser(self) -> Browser:
        return Browser(self.application)

    async def stored(self) -> list[str]:
        return [each.id for each in await installations.everywhere(self.database)]


async def _nobody(*_: object) -> None:
    return None


@pytest.fixture
def doorstep(database: Database, clock: FixedClock) -> Doorstep:
    return Doorstep(database, clock)


async def test_whoever_comes_the_whole_way_installs_steward(
    doorstep: Doorstep, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    browser = doorstep.browser()

    page = await browser.get(INSTALL)
    asked = await browser.begin()
    done = await browser.come_back(code="hunter2", state=asked["state"])

    assert all(scope in page.text for scope in SCOPES)
    assert asked["scope"].split(",") == list(SCOPES)
    assert (asked["client_id"], asked["redirect_uri"]) == ("1.2", "https://steward.example/slack/oauth_redirect")
    assert (done.status, done.title) == (200, "Steward is installed")
    assert "Northwind" in done.text
    assert doorstep.slack.calls == [{"code": "hunter2", "redirect_uri": asked["redirect_uri"]}]
    assert [each.id for each in await doorstep.installed.workspaces()] == ["T0001"]
    assert await doorstep.installed.token("T0001") == "xoxb-hunter2"
    assert "hunter2" not in caplog.text
    assert asked["state"] not in caplog.text
    assert browser.cookies == {}


@only_sqlite
@pytest.mark.parametrize(("public_url", "is_secure"), [("https://steward.example", True), ("http://[::1]:80", False)])
async def test_the_cookie_goes_where_it_must_and_nowhere_else(
    database: Database, clock: FixedClock, public_url: str, is_secure: bool
) -> None:
    sent = await Doorstep(database, clock, public_url).browser().get(INSTALL, method="POST")

    name, *rules = sent.headers["set-cookie"].split("; ")
    secure = ["Secure"] if is_secure else []
    assert re.fullmatch(rf"{COOKIE}=[A-Za-z0-9_-]{{43}}", name), "256 bits"
    assert sorted(rules) == sorted(["HttpOnly", "Max-Age=600", "Path=/slack", "SameSite=lax", *secure])


@only_sqlite
async def test_only_the_page_that_is_the_same_for_everybody_may_be_kept(doorstep: Doorstep) -> None:
    browser = doorstep.browser()
    answers = [await browser.get(INSTALL), await browser.get(INSTALL, method="POST"), await browser.get(BACK)]

    assert [answer.headers["cache-control"] for answer in answers] == ["max-age=300", "no-store", "no-store"]
    assert "set-cookie" not in answers[0].headers
    for answer in answers:
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_of_many_callbacks_with_one_state_one_installs(doorstep: Doorstep) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()
    others = [Browser(doorstep.application, dict(browser.cookies)) for _ in range(25)]

    answers = await asyncio.gather(*(each.come_back(code="good", state=asked["state"]) for each in others))

    assert sorted(answer.status for answer in answers) == [200] + [400] * 24
    assert {answer.title for answer in answers if answer.status == 400} == {"This way was used before"}
    assert len(doorstep.slack.calls) == 1


async def test_parallel_ways_each_install_by_their_own_state(doorstep: Doorstep) -> None:
    browsers = [doorstep.browser() for _ in range(12)]

    async def whole_way(browser: Browser) -> int:
        return (await browser.come_back(code="good", state=(await browser.begin())["state"])).status

    assert await asyncio.gather(*(whole_way(each) for each in browsers)) == [200] * 12
    assert len(doorstep.slack.calls) == 12
    assert await doorstep.stored() == ["T0001"]


@only_sqlite
async def test_a_second_visit_after_the_first_says_that_all_may_be_well(doorstep: Doorstep) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()
    kept = dict(browser.cookies)
    await browser.come_back(code="good", state=asked["state"])

    without_cookie = await browser.come_back(code="good", state=asked["state"])
    browser.cookies = kept
    with_cookie = await browser.come_back(code="good", state=asked["state"])

    assert (without_cookie.status, with_cookie.status) == (400, 400)
    assert "all is well" in with_cookie.text
    assert len(doorstep.slack.calls) == 1


@only_sqlite
@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (600, 400)])
async def test_a_way_takes_ten_minutes_at_most(
    doorstep: Doorstep, clock: FixedClock, seconds: int, status: int
) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()
    clock.move(seconds=seconds)

    assert (await browser.come_back(code="good", state=asked["state"])).status == status


@only_sqlite
async def test_a_state_of_another_browser_leads_nowhere_and_stays_good_for_its_own(doorstep: Doorstep) -> None:
    ana, ben = doorstep.browser(), doorstep.browser()
    of_ana, of_ben = await ana.begin(), await ben.begin()

    swapped = await ben.come_back(code="good", state=of_ana["state"])
    forged = await ben.come_back(code="good", state=f"{of_ben['state'][:-1]}_")

    assert [swapped.status, forged.status] == [400, 400]
    assert "not the browser in which the installation began" in swapped.text
    assert (doorstep.slack.calls, await doorstep.stored()) == ([], [])
    assert (await ana.come_back(code="good", state=of_ana["state"])).status == 200


@only_sqlite
@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (SlackRefused("invalid_code"), "too old, or used before"),
        (SlackRefused("bad_client_secret"), "SLACK_CLIENT_SECRET"),
        (SlackRefused(f"<b>{MARK}"), "too old, or used before"),
        (SlackUnknown("no answer"), "Slack did not answer"),
        (SlackNotSent("no connection"), "Slack did not answer"),
        ({"ok": True}, "no token for its bot"),
        (an_answer(access_token=None), "no token for its bot"),
        (an_answer(token_type="user"), "no token for its bot"),
        (an_answer(team={"name": "x"}), "did not say where"),
        (an_answer(team=MARK), "did not say where"),
        (an_answer(None), "did not say where"),
        (an_answer(is_enterprise_install=True), "did not say where"),
        (an_answer(bot_user_id=""), "did not say where"),
        (an_answer(authed_user=None), "did not say where"),
        (an_answer(refresh_token="xoxe-1"), "how long its token is good"),
        (an_answer(expires_in=43_200), "how long its token is good"),
        (an_answer(refresh_token="xoxe-1", expires_in=-1), "how long its token is good"),
        (an_answer(refresh_token="xoxe-1", expires_in="soon"), "how long its token is good"),
    ],
)
async def test_what_slack_does_not_give_whole_installs_nothing(
    doorstep: Doorstep, outcome: SlackError | dict[str, Any], told: str
) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()
    doorstep.slack.answers.append(outcome)

    answer = await browser.come_back(code="good", state=asked["state"])

    assert (answer.status, answer.title) == (400, "Nothing was installed")
    assert told in answer.text
    assert MARK not in answer.text
    assert await doorstep.stored() == []


@only_sqlite
async def test_whoever_does_not_allow_it_is_told_that_nothing_was_installed(doorstep: Doorstep) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()

    answer = await browser.come_back(error="access_denied", state=asked["state"])

    assert (answer.status, answer.title) == (400, "Nothing was installed")
    assert "ask an admin" in answer.text
    assert (doorstep.slack.calls, await doorstep.stored()) == ([], [])


@only_sqlite
async def test_a_name_in_slack_is_no_markup_on_the_page(doorstep: Doorstep) -> None:
    browser = doorstep.browser()
    asked = await browser.begin()
    doorstep.slack.answers.append(an_answer(team={"id": "T0001", "name": "<script>alert(1)</script>&"}))

    answer = await browser.come_back(code="good", state=asked["state"])

    assert answer.status == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in answer.text


TAGS = frozenset("html head meta title style body main h1 p a form button ul li code strong".split())  # noqa: SIM905


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


WORDS = st.one_of(
    st.text(max_size=40), st.sampled_from(["", "code", "\x00", "<script>", "%00", "%ff", "é", "a" * 5_000, "' OR 1=1"])
)
PAIRS = st.lists(st.tuples(st.sampled_from(["code", "state", "error", "CODE", ""]) | WORDS, WORDS), max_size=6)


@only_sqlite
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from([INSTALL, BACK, BACK, BACK, f"{BACK}/"]),
    method=st.sampled_from(["GET", "GET", "GET", "POST", "HEAD", "PUT", "BREW"]),
    pairs=PAIRS,
    raw=st.none() | st.text(st.characters(max_codepoint=255), max_size=80),
    cookie=st.one_of(st.none(), st.binary(max_size=60), WORDS.map(lambda text: f"{COOKIE}={text}".encode())),
    good_state=st.sampled_from(["", "in the query", "in both"]),
)
@example(path=BACK, method="GET", pairs=[("code", "x")], raw=None, cookie=None, good_state="in both")
async def test_whatever_arrives_is_no_fault_and_is_not_repeated(
    doorstep: Doorstep,
    path: str,
    method: str,
    pairs: list[tuple[str, str]],
    raw: str | None,
    cookie: bytes | None,
    good_state: str,
) -> None:
    browser = doorstep.browser()
    pairs = [(name, f"{MARK}{value}") for name, value in pairs]
    if good_state:
        pairs.append(("state", (await browser.begin())["state"]))
    if good_state != "in both":
        browser.cookies.clear()
    query = raw if raw is not None else urlencode(pairs)

    answer = await browser.get(path, query, method=method, headers=[(b"cookie", cookie)] if cookie is not None else [])

    assert answer.status in (200, 303, 400, 404, 405)
    assert MARK not in answer.text
    tags = Tags()
    tags.feed(answer.text)
    assert tags.found <= TAGS


@only_sqlite
async def test_whoever_installs_it_again_has_everything_back(
    doorstep: Doorstep, database: Database, clock: FixedClock
) -> None:
    """Also after it was removed; with the tokens of the latest time."""
    doorstep.slack.answers += [an_answer(access_token="xoxb-1"), an_answer(access_token="xoxb-2", scope="commands")]
    browser = doorstep.browser()
    await browser.come_back(code="good", state=(await browser.begin())["state"])
    async with database.unit("T0001") as session:
        workspace = await session.get(Workspace, "T0001")
        assert workspace is not None
        workspace.reactions, workspace.removed_at = {"pushpin": "decision"}, clock.now()

    await browser.come_back(code="good", state=(await browser.begin())["state"])

    [served] = await doorstep.installed.workspaces()
    assert (served.reactions, served.removed_at) == ({"pushpin": "decision"}, None)
    assert await doorstep.installed.token("T0001") == "xoxb-2"
    assert doorstep.installed.scopes("T0001") == {"commands"}
