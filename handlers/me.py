"""What a person sets for themselves: `/steward me`."""

from handlers import records
from handlers.projects import answer_to
from handlers.replies import OpenForm, Reply, Tell, UpdateForm
from handlers.request import Deps, Request
from models import digests, manners, operations
from models.clock import zone_or_utc
from views import me as views
from views.blocks import Block
from views.forms import FormContext


async def asked(request: Request, deps: Deps) -> Reply:
    """The form with what is stored."""
    return OpenForm(await _form(request, deps, FormContext(response_url=answer_to(request))))


async def _form(request: Request, deps: Deps, context: FormContext) -> Block:
    return views.form(request.person, await manners.muted(deps.session, request.actor), context)


async def submitted(request: Request, deps: Deps) -> Reply:
    """Store what was chosen. Raises InvalidFields, whose keys are the form's block ids."""
    person = request.person
    await manners.change(deps.session, person, views.read_form(request.state))
    following = digests.schedule(person.timezone, person.digest_at, deps.now).after(deps.now)
    comes = following.at.astimezone(zone_or_utc(person.timezone)) if following and person.wants_digest else None
    return Tell(views.saved(person, comes))


async def unmuted(request: Request, deps: Deps) -> Reply:
    """Remind the person of a record again; the form without it keeps what was chosen."""
    item, _ = await operations.find(deps.session, request.actor, *records.referred(request.value))
    await manners.unmute(deps.session, request.actor.id, item.record.id or 0)
    return UpdateForm(await _form(request, deps, request.context))
