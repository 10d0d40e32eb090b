"""The page on which a person lets an app into a workspace, or does not."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.core import Code, Core
from sandbox.errors import SandboxError
from sandbox.installing import organisation_of
from sandbox.manifest import App
from sandbox.security import is_loopback
from sandbox.workspace import User
from sandbox.workspaces import Workspaces

CODE_SECONDS = 600
PAGE = Template((Path(__file__).parent / "page" / "authorize.html").read_text())
PARAMETERS = ("client_id", "scope", "user_scope", "state", "redirect_uri", "team")


@dataclass(frozen=True)
class Asked:
    """What an app asks for, after Slack's checks. `redirect_uri` is as given, empty when the app named none."""

    scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    state: str
    redirect_uri: str
    target: str

    def sent_back(self, **answer: str) -> str:
        """Where the browser goes with an answer."""
        address = urlsplit(self.target)
        query = [*parse_qsl(address.query, keep_blank_values=True), *answer.items(), ("state", self.state)]
        return address._replace(query=urlencode(query)).geturl()


def read_asked(core: Core, query: Mapping[str, str]) -> Asked:
    """What the address of the page asks for. Raises SandboxError where Slack shows an error instead."""
    app = core.app
    if query.get("client_id") != core.credentials.client_id:
        raise SandboxError("invalid_client_id: No app here has this client_id.")
    scopes, user_scopes = _names(query.get("scope")), _names(query.get("user_scope"))
    if not scopes and not user_scopes:
        raise SandboxError("no_scopes: The address asks for no scope.")
    unknown = [*(set(scopes) - set(app.scopes_asked)), *(set(user_scopes) - set(app.user_scopes))]
    if unknown:
        raise SandboxError(f"invalid_scope: The app's manifest does not name {', '.join(sorted(unknown))}.")
    given = query.get("redirect_uri", "")
    target = given or next(iter(app.redirect_urls), "")
    if not target or not _may_go_to(app, target):
        raise SandboxError("bad_redirect_uri: The redirect_uri is not under a redirect URL of the app's manifest.")
    return Asked(scopes, user_scopes, query.get("state", ""), given, target)


def allow(core: Core, user: User, asked: Asked, without: Iterable[str] = (), *, everywhere: bool = False) -> str:
    """Somebody pressed Allow, leaving out some scopes, for their workspace or for its whole organisation; where their
    browser goes. Raises SandboxError."""
    if everywhere:
        _check_everywhere(core, user)
    if user.deleted or user.is_restricted:
        raise SandboxError(f"{user.real_name} may not install apps: only full members of {core.workspace.name} may.")
    left_out = set(without)
    if needed := left_out - core.app.scopes_optional:
        raise SandboxError(f"{', '.join(sorted(needed))} cannot be left out: the app does not call it optional.")
    code = f"{core.workspace.id}.{secrets.token_urlsafe(24)}"
    scopes = tuple(scope for scope in asked.scopes if scope not in left_out)
    ends = core.epoch() + CODE_SECONDS
    core.codes[code] = Code(core, user.id, scopes, asked.user_scopes, asked.redirect_uri, ends, everywhere)
    return asked.sent_back(code=code)


def _check_everywhere(core: Core, user: User) -> None:
    above = organisation_of(core)
    if not core.app.is_for_organisations:
        raise SandboxError(f"The manifest of {core.app.name} does not say that organisations may install it.")
    if not user.is_admin:
        raise SandboxError(f"{user.real_name} may not install apps in all of {above.name}: only its admins may.")


def cancel(asked: Asked) -> str:
    """Somebody pressed Cancel; where their browser goes."""
    return asked.sent_back(error="access_denied")


async def handle(workspaces: Workspaces, request: Request) -> Response:
    """Show the page, or do what was pressed on it."""
    query: dict[str, str] = dict(request.query_params)
    try:
        asked = read_asked(workspaces.first, query)
        if request.method == "GET":
            return _page(workspaces, query, asked)
        async with request.form(max_files=0) as form:
            pressed = {name: str(value) for name, value in form.items()}
            kept = {str(scope) for scope in form.getlist("optional")}
        return RedirectResponse(_answer(workspaces, asked, pressed, kept), 302)
    except SandboxError as error:
        again = f'<p><a href="{escape(str(request.url))}">Choose again</a></p>' if request.method == "POST" else ""
        return _shown("The app cannot be installed", f'<p role="alert">{escape(str(error))}</p>{again}', status=400)


def _answer(workspaces: Workspaces, asked: Asked, pressed: Mapping[str, str], kept: set[str]) -> str:
    if pressed.get("answer") != "allow":
        return cancel(asked)
    found = workspaces.of_person(pressed.get("person", ""))
    if found is None:
        raise SandboxError("Choose who installs the app.")
    core, user = found
    without = (set(asked.scopes) & core.app.scopes_optional) - kept
    return allow(core, user, asked, without, everywhere=pressed.get("everywhere") == "yes")


def _page(workspaces: Workspaces, query: Mapping[str, str], asked: Asked) -> Response:
    app = workspaces.first.app
    wanted = workspaces.named(query["team"]) if query.get("team") else None
    people = [_people(core) for core in ([wanted] if wanted else workspaces)]
    address = urlencode({name: query[name] for name in PARAMETERS if name in query})
    body = f"""
<p>{escape(app.description)}</p>
<form method="post" action="?{escape(address)}">
<p><label for="person">You are</label>
<select id="person" name="person">{"".join(people)}</select></p>
{_everywhere(workspaces)}
<h2>{escape(app.name)} will be able to use</h2>
<ul>{"".join(_scope(app, scope) for scope in asked.scopes)}</ul>
{_user_scopes(asked)}
<p class="afterwards">Afterwards your browser goes to {escape(_origin(asked.target))}.</p>
<p class="answers"><button class="button" name="answer" value="cancel">Cancel</button>
<button class="button primary" name="answer" value="allow">Allow</button></p>
</form>"""
    return _shown(f"{app.name} asks to be installed", body, to=_origin(asked.target))


def _people(core: Core) -> str:
    people = (user for user in core.workspace.users.values() if not user.is_bot and not user.deleted)
    return "".join(f'<option value="{user.id}">{escape(_called(core, user))}</option>' for user in people)


def _called(core: Core, user: User) -> str:
    return f"{user.real_name}{' (guest)' if user.is_restricted else ''}, {core.workspace.name}"


def _everywhere(workspaces: Workspaces) -> str:
    names = ", ".join(above.name for above in workspaces.organisations)
    if not names or not workspaces.first.app.is_for_organisations:
        return ""
    words = f"For all of the organisation ({escape(names)}), not for one workspace"
    return f'<p><label><input type="checkbox" name="everywhere" value="yes"> {words}</label></p>'


def _scope(app: App, scope: str) -> str:
    if scope not in app.scopes_optional:
        return f"<li>{escape(scope)}</li>"
    name = escape(scope)
    return f'<li><label><input type="checkbox" name="optional" value="{name}" checked> {name} (optional)</label></li>'


def _user_scopes(asked: Asked) -> str:
    entries = "".join(f"<li>{escape(scope)}</li>" for scope in asked.user_scopes)
    return f"<h2>And, as you</h2><ul>{entries}</ul>" if entries else ""


def _shown(title: str, body: str, *, status: int = 200, to: str = "") -> Response:
    """The page; its form may lead the browser to the app, and its posts say where they come from."""
    policy = f"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self' {to}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    return HTMLResponse(PAGE.substitute(title=escape(title), body=body), status, headers)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in (text or "").split(",") for name in part.split()))


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _may_go_to(app: App, target: str) -> bool:
    """HTTPS under a configured address; also, as the sandbox's own liberty, plain HTTP to this machine."""
    try:
        parts = urlsplit(target)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or parts.fragment:
        return False
    is_here = parts.scheme == "http" and is_loopback(host)
    return is_here or (parts.scheme == "https" and any(_is_under(target, each) for each in app.redirect_urls))


def _is_under(target: str, configured: str) -> bool:
    given, known = urlsplit(target), urlsplit(configured)
    same_place = (given.scheme, given.netloc) == (known.scheme, known.netloc)
    return same_place and (given.path == known.path or given.path.startswith(f"{known.path.rstrip('/')}/"))
