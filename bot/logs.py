"""Logs: one line an event on standard error, as text or as JSON, every line of ours and of the libraries the same way.

All of them pass one filter: what looks like a secret, or is one of those in the settings, never comes out; of an
exception its type and where it happened do, since its words may be what somebody wrote. What a line is about (request,
workspace, delivery, job) is bound with `structlog.contextvars` where it is known, and goes with every line from there.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from secrets import token_hex
from types import TracebackType
from typing import Any, TextIO

import structlog
from pydantic import SecretStr

from bot.settings import Settings

REDACTED = "[redacted]"
# The libraries say less than that of nothing that matters, and Slack's would write down whole messages.
LIBRARIES = logging.WARNING
OURS = ("bot", "handlers", "models", "reports", "sandbox", "scheduler", "steward", "views")

# Shorter ones would blank half a line, and nothing is protected by them.
SECRET_MIN = 8

_SECRET_NAME = r"[\w-]*(?:token|secret|password|passwd|authorization|signature|ticket|cookie|api[_-]?key)"
_IS_SECRET_NAME = re.compile(rf"(?i){_SECRET_NAME}$")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        # Of an address its host is enough: response URLs, sockets, files, databases, installation links.
        (r"(?i)([a-z][a-z0-9+.-]*://)(?:\S*@)?([^\s/?#\"'<>@]*)[^\s\"'<>]*", r"\1\2/…"),
        (r"\?[^\s\"'=]*=[^\s\"']*", "?…"),
        (r"(?i)\b(bearer|basic)\s+[^\s\"',]+", rf"\1 {REDACTED}"),
        (rf"(?i)({_SECRET_NAME}[\"']?)\s*[=:]\s*(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}}\]]+)", rf"\1={REDACTED}"),
        # Slack's tokens; keys and tokens of Fernet; signing secrets, signatures and digests.
        (r"(?i)x(?:ox[a-z]|app|wfp)-[\w.%+/=-]+", REDACTED),
        (r"[\w+/-]{43}=", REDACTED),
        (r"gAAAA[\w-]{20,}=*", REDACTED),
        (r"[0-9a-fA-F]{32,}", REDACTED),
    )
)
# What would begin another line, or write from right to left.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

_FIRST = ("time", "level", "logger", "event")
# What other formatters and libraries keep on a record of what is said in `event`.
_TWICE = ("asctime", "color_message", "message")

Event = MutableMapping[str, Any]


def configure(settings: Settings) -> None:
    """Write all logs to standard error from now on, as the settings say."""
    handler = Handler(sys.stderr, settings)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(LIBRARIES)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _ended_by
    threading.excepthook = _ended_a_thread
    sys.unraisablehook = _could_not_be_raised


def reference() -> str:
    """What a person is told so that the lines about a fault can be found: the id of the request under way."""
    return str(structlog.contextvars.get_contextvars().get("request") or new_reference())


def new_reference() -> str:
    """An id for a request."""
    return token_hex(4)


class Handler(logging.StreamHandler[TextIO]):
    """Writes lines without secrets."""

    def __init__(self, stream: TextIO, settings: Settings) -> None:
        super().__init__(stream)
        self._secrets = _secrets_in(settings)
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.ExtraAdder(),
                    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                ],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _without_values,
                    self._without_secrets,
                    _in_order,
                    structlog.processors.JSONRenderer(ensure_ascii=False)
                    if settings.log_format == "json"
                    else _as_text,
                ],
                use_get_message=True,
            )
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Say only where a line could not be written: logging itself would print what was to stand in it."""
        where = f"{record.name}, {record.filename}:{record.lineno}"
        self.stream.write(f"a line of the log could not be written ({where})\n")

    def _without_secrets(self, _logger: object, _method: str, event: Event) -> Event:
        return {self._clean(key): self._clean(value, key) for key, value in event.items()}

    def _clean(self, value: Any, key: str = "") -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if _IS_SECRET_NAME.search(key):
            return REDACTED
        if isinstance(value, Mapping):
            return {self._clean(str(name)): self._clean(part, str(name)) for name, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(part) for part in value]
        return redacted(value.decode(errors="replace") if isinstance(value, bytes) else str(value), self._secrets)


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without anything that looks like a secret, and without these."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def _secrets_in(settings: Settings) -> tuple[str, ...]:
    """Every secret in the settings, the longest first, so that none is left half."""
    from models.database import async_url

    values = [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]
    values.append(str(async_url(settings.database_url).password or ""))
    parts = {part for value in values for part in (value, *re.split(r"[,\s]+", value)) if len(part) >= SECRET_MIN}
    return tuple(sorted(parts, key=len, reverse=True))


def _without_values(_logger: object, _method: str, event: Event) -> Event:
    """The exception as its type and frames; what it says is taken out of the message too."""
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        for each in _chain(error):
            for words in (repr(each), str(each)):
                if len(words) > 2:
                    event["event"] = event["event"].replace(words, type(each).__name__)
        event["exception"] = "\n".join(line for each in _chain(error) for line in _lines_of(each))
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception after what led to it, the way Python prints them; each once."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.append(each)
        led = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [led] if led else []
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return reversed(seen)


def _lines_of(error: BaseException) -> Iterator[str]:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    yield f"{name} {code}" if code else name
    for frame in traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"


def _in_order(_logger: object, _method: str, event: Event) -> Event:
    """What every line has first, then what only some have, the exception last."""
    rest = sorted(event.keys() - {*_FIRST, "exception", *_TWICE})
    return {key: event[key] for key in (*_FIRST, *rest, "exception") if key in event}


def _as_text(_logger: object, _method: str, event: Event) -> str:
    exception = event.pop("exception", None)
    head = f"{event.pop('time')} {event.pop('level').upper()} {event.pop('logger')}: {event.pop('event')}"
    line = _UNPRINTABLE.sub(_visibly, " ".join([head, *(f"{key}={value}" for key, value in event.items())]))
    if exception is None:
        return line
    return "\n".join([line, *("  " + _UNPRINTABLE.sub(_visibly, each) for each in exception.split("\n"))])


def _visibly(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _ended_by(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python does with an exception that nobody caught, but as a line of the log."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("steward").critical("Steward ended by a fault of its own", exc_info=(kind, error, trace))


def _ended_a_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not issubclass(told.exc_type, SystemExit):
        about = (told.exc_type, told.exc_value, told.exc_traceback)
        logging.getLogger("steward").error("a thread ended by a fault", exc_info=about)


def _could_not_be_raised(told: "sys.UnraisableHookArgs") -> None:
    if told.exc_value is not None:
        about = (told.exc_type, told.exc_value, told.exc_traceback)
        logging.getLogger("steward").error("a fault where nothing can be raised", exc_info=about)
