"""Logging from anywhere: the message shortcut, the global shortcut and the buttons that open a form."""

from handlers import records
from handlers.reactions import values_of
from handlers.replies import OpenForm, Reply
from handlers.request import Deps, Request, Where
from handlers.slack_text import as_text, named_pieces
from models.errors import NotFound
from models.kinds import KINDS, kind_named
from views import forms
from views.forms import FormContext


async def log_message(request: Request, deps: Deps) -> Reply:
    """The form for a record made of a message: its first line as title, all of it as details, and its link."""
    text = as_text(await named_pieces(deps.session, request.message.text)) if request.message else ""
    values = values_of(text)
    context = FormContext(
        kind=KINDS[0].key,
        channel_id=request.channel_id,
        response_url=request.response_url,
        thread_ts=request.thread_ts,
        asks=("kind", *records.questions(request)),
    ).made_from(request.source)
    if "project" in context.asks:
        await records.refuse_without_projects(request, deps)
    form = forms.record_form(KINDS[0], values, context, project=request.project, title="Log to Steward")
    return OpenForm(form)


async def log_anything(request: Request, deps: Deps) -> Reply:
    """The form where kind and project are chosen, from a global shortcut, a greeting or Home."""
    kind = kind_named(request.value) if request.value else KINDS[0]
    if kind is None:
        raise NotFound("This button is from an older version of Steward. Use `/steward help` to see what there is.")
    asks = records.questions(request)
    if "project" in asks:
        await records.refuse_without_projects(request, deps)
    context = FormContext(
        kind=kind.key,
        channel_id=request.channel_id,
        response_url="" if request.where is Where.HOME else request.response_url,
        asks=asks if request.value else ("kind", *asks),
    )
    title = "" if request.value else "Log to Steward"
    return OpenForm(forms.record_form(kind, {}, context, project=request.project, title=title))
