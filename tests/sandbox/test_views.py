"""Modals and Home tabs: opening, stacking, submitting, closing, and what Slack refuses of them."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError, Timing
from sandbox.forms import REQUIRED
from sandbox.interactions import TROUBLE, Place
from sandbox.seed import ANA, NETWORK
from tests.sandbox.workspace_support import (
    MANIFEST,
    PATIENT,
    actions,
    bolt,
    button,
    connected,
    home,
    manifest,
    modal,
    plain,
    section,
    text_input,
)

MENU = {
    "type": "static_select",
    "action_id": "chosen",
    "options": [{"text": plain(word.title()), "value": word} for word in ("low", "high")],
}


def opening(sandbox: Sandbox, view: Any) -> AsyncApp:
    """An app whose global shortcut opens `view`."""
    app = bolt(sandbox)

    @app.shortcut("new")
    async def new(ack: Any, shortcut: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=view)

    return app


def answering(app: AsyncApp, **answer: Any) -> list[Any]:
    """Let the app answer submissions so; the views it was given."""
    given: list[Any] = []

    @app.view("form")
    async def submitted(ack: Any, view: Any) -> None:
        given.append(view)
        await ack(**answer)

    return given


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_submitted_form_arrives_with_every_value_and_closes(sandbox: Sandbox) -> None:
    view = modal(
        text_input("title", initial_value="Old"),
        text_input("note", optional=True),
        {"type": "input", "block_id": "urgency", "label": plain("Urgency"), "element": MENU},
        {
            "type": "input",
            "block_id": "when",
            "label": plain("When"),
            "optional": True,
            "element": {"type": "datepicker", "action_id": "day", "initial_date": "2026-12-01"},
        },
        private_metadata="secret",
    )
    app = opening(sandbox, view)
    given = answering(app)

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        outcome = await ana.submit({"title": "A & B <c>", "urgency": "high"})

    values = given[0]["state"]["values"]
    assert outcome.ok
    assert ana.modal is None
    assert values["title"]["typed"] == {"type": "plain_text_input", "value": "A & B <c>"}
    assert values["note"]["typed"]["value"] is None
    assert values["urgency"]["chosen"]["selected_option"]["value"] == "high"
    assert values["when"]["day"] == {"type": "datepicker", "selected_date": "2026-12-01"}
    assert given[0]["private_metadata"] == "secret"


async def test_an_empty_required_field_never_leaves_the_screen(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(text_input("title"), text_input("code", min_length=3)))

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        sent = len(sandbox.deliveries)
        await ana.submit({"code": "ab"})

        assert ana.form_errors == {"title": REQUIRED, "code": "Please enter at least 3 characters."}
        assert len(sandbox.deliveries) == sent


async def test_errors_stand_beside_their_field_and_nothing_typed_is_lost(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal())
    answering(app, response_action="errors", errors={"title": "Not that."})

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        outcome = await ana.submit({"title": "this"})

    assert not outcome.ok
    assert ana.form_errors == {"title": "Not that."}
    assert ana.modal is not None
    assert ana.modal["state"]["values"]["title"]["typed"]["value"] == "this"


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {"words": "a section takes no error"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal", "title": plain("x"), "blocks": [{"type": "no"}]}},
        {"response_action": "nonsense"},
    ],
)
async def test_an_answer_slack_refuses_keeps_the_form_open_with_trouble(sandbox: Sandbox, answer: Any) -> None:
    app = opening(sandbox, modal(text_input("title"), {**section("Words"), "block_id": "words"}))

    @app.middleware
    async def answer_directly(context: Any, req: Any, resp: Any, next: Any) -> Any:
        if req.body.get("type") != "view_submission":
            return await next()
        from slack_bolt.response import BoltResponse

        return BoltResponse(status=200, body=answer)

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        outcome = await ana.submit({"title": "x"})

    assert not outcome.ok
    assert str(outcome.notice).startswith(TROUBLE)
    assert ana.modal is not None


async def test_a_form_nobody_answers_says_so_and_stays(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal())

    @app.view("form")
    async def crash() -> None:
        raise ValueError("on purpose")

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        sandbox._core.courier.timing = Timing(acknowledge=0.3)
        outcome = await ana.submit({"title": "typed"})

        assert outcome.notice == TROUBLE
        assert ana.modal is not None


async def test_an_update_keeps_what_was_typed_where_the_ids_stay(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(text_input("title"), text_input("gone", optional=True)))
    answering(app, response_action="update", view=modal(text_input("title"), text_input("fresh"), title=plain("Two")))

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        before = ana.modal
        await ana.submit({"title": "kept", "gone": "lost"})

    assert before is not None
    assert ana.modal is not None
    assert (ana.modal["id"], ana.modal["title"]["text"]) == (before["id"], "Two")
    assert ana.modal["hash"] != before["hash"]
    assert ana.modal["state"]["values"] == {
        "title": {"typed": {"type": "plain_text_input", "value": "kept"}},
        "fresh": {"typed": {"type": "plain_text_input", "value": None}},
    }


async def test_three_views_stack_and_a_fourth_is_refused(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(actions(button("more")), submit=None))
    refused: list[str] = []

    @app.action("more")
    async def push(ack: Any, body: Any, client: Any) -> None:
        await ack()
        try:
            await client.views_push(trigger_id=body["trigger_id"], view=modal(actions(button("more")), submit=None))
        except SlackApiError as error:
            refused.append(error.response["error"])

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        for _ in range(3):
            await ana.click_view("more")

    bottom, middle, top = ana.modals
    assert refused == ["push_limit_reached"]
    assert {view["root_view_id"] for view in ana.modals} == {bottom["id"]}
    assert (top["previous_view_id"], middle["previous_view_id"]) == (middle["id"], bottom["id"])


async def test_push_and_clear_work_as_answers(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(callback_id="first"))

    @app.view("first")
    async def first(ack: Any) -> None:
        await ack(response_action="push", view=modal(callback_id="second"))

    @app.view("second")
    async def second(ack: Any) -> None:
        await ack(response_action="clear")

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        await ana.submit({"title": "1"})
        assert [view["callback_id"] for view in ana.modals] == ["first", "second"]
        await ana.submit({"title": "2"})
        assert ana.modals == []


async def test_closing_is_told_to_apps_that_asked(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(notify_on_close=True))
    closed: list[bool] = []

    @app.view_closed("form")
    async def note(ack: Any, body: Any) -> None:
        await ack()
        closed.append(body["is_cleared"])

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        await ana.close()
        await ana.shortcut("new")
        await ana.close(clear=True)

    assert closed == [False, True]
    assert ana.modals == []


@pytest.mark.parametrize("timing", [PATIENT, Timing(trigger=0.1)], ids=["once", "for a while"])
async def test_a_trigger_works_once_and_for_three_seconds(timing: Timing) -> None:
    async with Sandbox(MANIFEST, timing=timing) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        app = bolt(sandbox)
        triggers: list[str] = []

        @app.shortcut("new")
        async def new(ack: Any, shortcut: Any) -> None:
            triggers.append(shortcut["trigger_id"])
            await ack()

        async with connected(app, sandbox):
            await sandbox.person("ana").shortcut("new")
            if timing is PATIENT:
                await client.views_open(trigger_id=triggers[0], view=modal())
            else:
                await asyncio.sleep(0.15)
            refusal = await error_of(client.views_open(trigger_id=triggers[0], view=modal()))
            assert refusal == ("exchanged_trigger_id" if timing is PATIENT else "expired_trigger_id")
            assert await error_of(client.views_open(trigger_id="1.2.x", view=modal())) == "invalid_trigger_id"
    assert Timing().trigger == 3


async def test_a_refused_view_does_not_use_up_its_trigger(sandbox: Sandbox, client: AsyncWebClient) -> None:
    app = bolt(sandbox)
    errors: list[Any] = []

    @app.shortcut("new")
    async def new(ack: Any, shortcut: Any) -> None:
        await ack()
        try:
            await client.views_open(trigger_id=shortcut["trigger_id"], view=modal(title=plain("x" * 25)))
        except SlackApiError as error:
            errors.append(error.response.data)
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal())

    async with connected(app, sandbox):
        await sandbox.person("ana").shortcut("new")

    assert errors[0]["error"] == "invalid_arguments"
    assert "[json-pointer:/view/title/text]" in errors[0]["response_metadata"]["messages"][0]
    assert sandbox.person("ana").modal is not None


async def test_typing_is_told_at_once_only_where_the_form_asks_for_it(sandbox: Sandbox) -> None:
    app = opening(sandbox, modal(text_input("title"), {**text_input("search"), "dispatch_action": True}))
    told: list[str] = []

    @app.action("typed")
    async def typed(ack: Any, action: Any) -> None:
        told.append(f"{action['block_id']}: {action['value']}")
        await ack()

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        await ana.click_view("typed", "quiet")
        search = Place(view=ana.view(ana.modals[0]["id"]))
        await ana.act(search, "search", "typed", "loud", {})

    assert told == ["search: loud"]
    assert ana.modals[0]["state"]["values"]["title"]["typed"]["value"] == "quiet"


async def test_an_update_by_external_id_minds_the_hash(sandbox: Sandbox, client: AsyncWebClient) -> None:
    app = opening(sandbox, modal(external_id="mine"))

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        assert ana.modal is not None
        first = ana.modal["hash"]
        await client.views_update(external_id="mine", view=modal(external_id="mine"), hash=first)

        stale = client.views_update(view_id=ana.modal["id"], view=modal(), hash=first)
        assert await error_of(stale) == "hash_conflict"
        assert await error_of(client.views_update(view_id="V0", view=modal())) == "not_found"


async def test_home_is_published_and_its_buttons_work(sandbox: Sandbox, client: AsyncWebClient) -> None:
    app = bolt(sandbox)
    opened: list[Any] = []

    @app.event("app_home_opened")
    async def draw(event: Any, client: Any) -> None:
        opened.append(event)
        await client.views_publish(user_id=event["user"], view=home(actions(button("go", "1"))))

    @app.action("go")
    async def go(ack: Any, body: Any, client: Any) -> None:
        await ack()
        assert "response_url" not in body
        await client.views_publish(user_id=body["user"]["id"], view=home(section("Gone")), hash=body["view"]["hash"])

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.open_home()
        await ana.click_home("go")
        await ana.open_home()
        await ana.open_app_messages()
        await sandbox.idle()

    assert ana.home is not None
    assert ana.home["blocks"][0]["type"] == "actions"
    opening_events = [(event["tab"], "view" in event) for event in opened]
    assert opening_events == [
        ("home", False),
        ("home", True),
        ("messages", False),
    ]
    stale = client.views_publish(user_id=ANA, view=home(), hash="1.old")
    assert await error_of(stale) == "hash_conflict"
    with pytest.raises(SlackApiError) as caught:
        await client.views_publish(user_id="U0NOBODY", view=home())
    assert caught.value.response["response_metadata"]["messages"] == ["invalid `user_id`"]


async def test_home_must_be_enabled() -> None:
    async with Sandbox(manifest(home_tab_enabled=False)) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        assert await error_of(client.views_publish(user_id=ANA, view=home())) == "not_enabled"


async def test_options_come_from_the_app_as_one_types(sandbox: Sandbox) -> None:
    menu = {"type": "external_select", "action_id": "bird", "min_query_length": 0}
    app = opening(sandbox, modal({"type": "input", "block_id": "birds", "label": plain("Bird"), "element": menu}))
    given = answering(app)

    @app.options("bird")
    async def offer(ack: Any, payload: Any) -> None:
        await ack(options=[{"text": plain(payload["value"].title()), "value": payload["value"]}])

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        assert [option["value"] for option in await ana.options("bird", "macaw")] == ["macaw"]
        await ana.submit({"birds": "macaw"})

    assert given[0]["state"]["values"]["birds"]["bird"]["selected_option"]["text"]["text"] == "Macaw"


async def test_bad_options_are_told(sandbox: Sandbox) -> None:
    menu = {"type": "external_select", "action_id": "bird"}
    app = opening(sandbox, modal({"type": "input", "block_id": "birds", "label": plain("Bird"), "element": menu}))

    @app.options("bird")
    async def offer(ack: Any) -> None:
        await ack(options=[{"text": plain(str(n)), "value": str(n)} for n in range(101)])

    async with connected(app, sandbox):
        ana = sandbox.person("ana")
        await ana.shortcut("new")
        with pytest.raises(SandboxError, match="could not be loaded"):
            await ana.options("bird", "x")


async def test_a_conversation_menu_starts_where_the_form_was_opened_and_gives_an_address_to_answer(
    sandbox: Sandbox,
) -> None:
    element = {
        "type": "conversations_select",
        "action_id": "where",
        "default_to_current_conversation": True,
        "response_url_enabled": True,
    }
    view = modal({"type": "input", "block_id": "place", "label": plain("Where"), "element": element})
    app = bolt(sandbox)
    urls: list[Any] = []

    @app.command("/parrot")
    async def ask(ack: Any, body: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("form")
    async def submitted(ack: Any, body: Any) -> None:
        urls.extend(body["response_urls"])
        await ack()

    async with connected(app, sandbox):
        await sandbox.person("ana").command("#network", "/parrot")
        await sandbox.person("ana").submit()

    assert [(url["block_id"], url["action_id"], url["channel_id"]) for url in urls] == [("place", "where", NETWORK)]


async def test_the_driver_names_what_there_is_when_asked_for_what_is_not(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")
    with pytest.raises(SandboxError, match="no modal open"):
        await ana.submit({})

    async with connected(opening(sandbox, modal()), sandbox):
        await ana.shortcut("new")
        with pytest.raises(SandboxError, match="it has: title"):
            await ana.submit({"titel": "x"})
        with pytest.raises(SandboxError, match="there is: typed"):
            await ana.click_view("press")
