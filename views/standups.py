"""Stand-ups as people see them: the form that sets one up, the questions, the channel's digest, the history."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from models import standups
from models.clock import zone_or_utc
from models.kinds import Item
from models.recurrences import DAY_NAMES, DAYS
from models.standups import ANSWER_MAX, NAME_MAX, Plan, asked, blockers
from models.tables import EntryState, Standup, StandupEntry, StandupReport, StandupRound
from models.working_days import in_words
from reports.standups import History, Participation, Round
from views.blocks import (
    Block,
    Message,
    actions,
    button,
    cut,
    divider,
    esc,
    header,
    input_block,
    mrkdwn,
    note,
    option,
    overflow,
    plain,
    rich,
    section,
)
from views.forms import FormContext, element_in, read_choice
from views.values import People, day, name_of, zone_time

OWN_HOUR, TEAM_HOUR = "own", "team"
MOODS = ("😞 Bad", "🙁 Not so good", "😐 All right", "🙂 Good", "😄 Very good")
WINDOWS = (30, 60, 120, 180, 240, 480, 1440)
NUDGES = (0, 10, 15, 30, 60)
EVERY = (1, 2, 3, 4)
DIGEST_ANSWER_MAX = 500
DIGEST_PEOPLE_MAX = 30


def form(standup: Standup | None, plan: Plan, context: FormContext, *, team_zone: str) -> Block:
    """The form of a new or an existing stand-up; only the name has to be typed."""
    blocks = [
        input_block("name", "Name", _text(plan.name, NAME_MAX), "What people call it, such as “Daily”."),
        input_block(
            "channel",
            "Channel",
            {
                "type": "conversations_select",
                "filter": {"include": ["public", "private"], "exclude_bot_users": True},
                "placeholder": plain("Choose a channel"),
            }
            | ({"initial_conversation": plan.channel_id} if plan.channel_id else {}),
            "Its members read the answers. I have to be in it.",
        ),
        input_block(
            "questions",
            "Questions",
            _text("\n".join(plan.questions), 1_500, multiline=True),
            "One a line, in this order. Begin a question about blockers with “!”: its answers can become issues. "
            "The first is filled with what was planned and closed, the second with what is due.",
        ),
        input_block(
            "weekdays",
            "Days",
            _checkboxes({key: DAY_NAMES[number] for number, key in enumerate(DAYS)}, [DAYS[n] for n in plan.weekdays]),
            "Public holidays of the project and its own days off are left out by themselves.",
        ),
        input_block("every", "Every", _menu({str(n): _weeks(n) for n in EVERY}, str(plan.every_weeks)), ""),
        input_block(
            "at",
            "Time",
            {"type": "timepicker"} | ({"initial_time": f"{plan.at:%H:%M}"} if plan.at else {}),
            "When people are asked.",
        ),
        input_block(
            "whose",
            "Whose time",
            _menu(
                {OWN_HOUR: "Everybody's own", TEAM_HOUR: f"The team's ({zone_time(plan.zone or team_zone)})"},
                TEAM_HOUR if plan.zone else OWN_HOUR,
            ),
            "At their own time nobody is asked in the night; at the team's time everybody is asked at the same moment.",
        ),
        input_block(
            "window",
            "Time to answer",
            _menu({str(n): in_hours(n) for n in WINDOWS}, str(plan.window_minutes)),
            "Later answers are taken too, and marked as late.",
        ),
        input_block(
            "nudge",
            "Remind who has not answered",
            _menu({str(n): _before_the_end(n) for n in NUDGES}, str(plan.nudge_minutes)),
            "",
        ),
        input_block(
            "participants",
            "Who is asked",
            {"type": "multi_users_select", "placeholder": plain("Everybody in the channel")}
            | ({"initial_users": list(plan.participants)} if plan.participants else {}),
            "Leave it empty to ask whoever is in the channel on that day. Who is away is not asked.",
            optional=True,
        ),
        input_block(
            "report", "The channel gets", _menu({each.value: each.label for each in StandupReport}, plan.report), ""
        ),
        input_block(
            "missing_to",
            "Who hears privately who is missing",
            {"type": "users_select", "placeholder": plain("Nobody")}
            | ({"initial_user": plan.missing_to} if plan.missing_to else {}),
            "The channel never does.",
            optional=True,
        ),
        input_block(
            "options",
            "Also",
            _checkboxes(
                {"mood": "Ask how people feel (need not be answered)", "issues": "Make an issue of every blocker"},
                [*(["mood"] if plan.asks_mood else []), *(["issues"] if plan.makes_issues else [])],
            ),
            "",
            optional=True,
        ),
    ]
    return {
        "type": "modal",
        "callback_id": "standup",
        "title": plain("Change stand-up" if standup else "New stand-up", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def read_form(state: Mapping[str, Any], *, team_zone: str, questions: Sequence[str]) -> Plan:
    """The plan that a submitted form holds; `questions` were read from it before."""
    chosen = _chosen(state, "options")
    at = element_in(state, "at").get("selected_time")
    return Plan(
        channel_id=read_conversation(state, "channel"),
        name=read_choice(state, "name"),
        questions=questions,
        asks_mood="mood" in chosen,
        weekdays=[DAYS.index(key) for key in _chosen(state, "weekdays") if key in DAYS],
        every_weeks=_number(read_choice(state, "every"), 1),
        at=time.fromisoformat(at) if at else None,
        zone=team_zone if read_choice(state, "whose") == TEAM_HOUR else None,
        window_minutes=_number(read_choice(state, "window"), 0),
        nudge_minutes=_number(read_choice(state, "nudge"), 0),
        participants=element_in(state, "participants").get("selected_users") or [],
        report=StandupReport(read_choice(state, "report") or StandupReport.DIGEST),
        missing_to=read_choice(state, "missing_to") or None,
        makes_issues="issues" in chosen,
    )


def plan_of(standup: Standup) -> Plan:
    """What the form of a stored stand-up begins with."""
    return Plan(
        channel_id=standup.channel_id,
        name=standup.name,
        questions=standup.questions,
        asks_mood=standup.asks_mood,
        weekdays=_weekdays(standup),
        every_weeks=_weeks_between(standup),
        at=standup.at,
        zone=standup.zone,
        window_minutes=standup.window_minutes,
        nudge_minutes=standup.nudge_minutes,
        participants=standup.participants,
        report=standup.report,
        missing_to=standup.missing_to,
        makes_issues=standup.makes_issues,
    )


def _weekdays(standup: Standup) -> list[int]:
    return [DAYS.index(each) for each in _part_of_rule(standup, "BYDAY").split(",") if each in DAYS]


def _weeks_between(standup: Standup) -> int:
    return _number(_part_of_rule(standup, "INTERVAL"), 1)


def _part_of_rule(standup: Standup, key: str) -> str:
    return dict(part.split("=") for part in standup.rule.split(";")).get(key, "")


def read_conversation(state: Mapping[str, Any], block_id: str) -> str:
    """The conversation that a select holds; empty where there is none."""
    return str(element_in(state, block_id).get("selected_conversation") or "")


def schedule_in_words(standup: Standup) -> str:
    """`Monday to Friday at 09:30, everybody's own time`."""
    words = " ".join(DAY_NAMES[each][:3].lower() for each in _weekdays(standup))
    weeks = _weeks_between(standup)
    whose = zone_time(standup.zone) if standup.zone else "everybody's own time"
    often = "" if weeks == 1 else f", {_weeks(weeks)},"
    return f"{_upper_first(in_words(words))}{often} at {standup.at:%H:%M}, {whose}"


def overview(found: Sequence[tuple[Standup, bool]], *, next_days: Mapping[int, str], channel_id: str) -> Message:
    """The stand-ups of a channel with what can be done to each; the flag says whether this person may change it."""
    if not found:
        text = "No stand-up here yet."
        blocks = [section(plain(text), button("New stand-up", "standup:new", channel_id, style="primary"))]
        return Message(text, blocks)
    blocks = [section(mrkdwn("*Stand-ups of this channel*"))]
    for standup, may_change in found:
        state = "paused" if standup.is_paused else next_days.get(standup.id or 0, "nothing planned")
        facts = f"{schedule_in_words(standup)} · {state} · {len(standup.questions)} questions"
        blocks.append(rich((standup.name, "bold"), f"\n{facts}"))
        blocks.append(actions(_standup_buttons(standup, may_change)))
    blocks.append(actions([button("New stand-up", "standup:new", channel_id)]))
    return Message(f"{len(found)} stand-ups in this channel", blocks)


def _standup_buttons(standup: Standup, may_change: bool) -> list[Block]:
    value = str(standup.id)
    look = [
        button("Preview", "standup:preview", value, says=f"Preview {standup.name}"),
        button("History", "standup:history", value, says=f"History of {standup.name}"),
    ]
    if not may_change:
        return look
    return [
        button("Change", "standup:edit", value, says=f"Change {standup.name}"),
        *look,
        button("Resume" if standup.is_paused else "Pause", "standup:pause", value, says=f"Pause {standup.name}"),
        overflow(
            [
                button("Run now", "standup:now", value),
                button("Duplicate", "standup:copy", value),
                button("Remove", "standup:remove", value),
            ]
        ),
    ]


def saved(standup: Standup, said: str, *, next_day: str, hints: Sequence[str] = ()) -> Message:
    """The private confirmation, with when people are asked next and what can be done."""
    text = f"{said}: {standup.name}"
    lines = [rich((f"{said} ", "bold"), standup.name), note(plain(f"{schedule_in_words(standup)} · {next_day}"))]
    lines += [section(plain(hint)) for hint in hints]
    offered = [
        button("Preview", "standup:preview", str(standup.id)),
        button("Change", "standup:edit", str(standup.id)),
    ]
    if standup.is_archived:
        offered = [button("Undo", "standup:remove", str(standup.id), says=f"Bring {standup.name} back")]
    return Message(esc(text), [*lines, actions(offered)])


def preview(standup: Standup, day_: date, plans: Sequence[tuple[str, str, datetime]], away: Sequence[str]) -> Message:
    """What people will get, when, in their zone: (name, zone, instant) in the order of time."""
    blocks = [
        section(mrkdwn(f"*Preview of {esc(standup.name)}*, {day(day_)}")),
        note(plain(f"{schedule_in_words(standup)} · open for {in_hours(standup.window_minutes)}")),
        rich("\n".join(f"{number}. {asked(q)}" for number, q in enumerate(standup.questions, 1))),
    ]
    lines = [f"{at.astimezone(zone_or_utc(zone)):%a %H:%M} {zone_time(zone)}  {name}" for name, zone, at in plans]
    if lines:
        blocks.append(section(plain("\n".join(lines), 2_900)))
    else:
        blocks.append(section(plain("Nobody would be asked: there is nobody in the channel or everybody is away.")))
    if away:
        blocks.append(note(plain(f"Away: {', '.join(away)}", 1_900)))
    return Message(esc(f"Preview of {standup.name}"), blocks)


def prompt(standup: Standup, round_: StandupRound, entry: StandupEntry, *, nudged: bool = False) -> Message:
    """The questions in a direct message, or the reminder that they are still open."""
    until = entry.closes_at.astimezone(zone_or_utc(entry.zone))
    text = f"{'Still open: ' if nudged else ''}{standup.name}, {day(round_.day)}"
    questions = "\n".join(f"{number}. {asked(each)}" for number, each in enumerate(round_.questions, 1))
    value = str(round_.id)
    return Message(
        esc(text),
        [
            rich((text, "bold")),
            *([] if nudged else [section(plain(questions))]),
            note(plain(f"Until {until:%H:%M}; later answers are taken too.")),
            actions(
                [
                    button("Answer", "standup:answer", value, style="primary", says=f"Answer {standup.name}"),
                    button("Skip today", "standup:skip", value, says=f"Skip {standup.name} today"),
                    button("I'm away", "standup:away", value, says=f"Away today: {standup.name}"),
                ]
            ),
        ],
    )


def answer_form(
    standup: Standup, round_: StandupRound, prefill: Sequence[str], mood: int | None, context: FormContext
) -> Block:
    """One input a question, filled with what is known."""
    blocks = [note(plain(f"{day(round_.day)}. Change your answers until the next round."))]
    for number, question in enumerate(round_.questions):
        stored = prefill[number] if number < len(prefill) else ""
        blocks.append(
            input_block(
                f"answer:{number}", asked(question), _text(stored, ANSWER_MAX, multiline=True), "", optional=True
            )
        )
    if round_.asks_mood:
        choices = {str(n): label for n, label in enumerate(MOODS, 1)}
        element = _menu(choices, str(mood)) if mood else _menu(choices, "")
        blocks.append(input_block("mood", "How do you feel?", element, "Need not be answered.", optional=True))
    return {
        "type": "modal",
        "callback_id": "standup_answer",
        "title": plain(standup.name, 24),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def read_answers(state: Mapping[str, Any], count: int) -> tuple[list[str], int | None]:
    """The answers in the order of the questions, and the mood."""
    mood = read_choice(state, "mood")
    return [read_choice(state, f"answer:{number}") for number in range(count)], int(mood) if mood.isdigit() else None


def answered(standup: Standup, round_: StandupRound, said: str, *, blocked: bool) -> Message:
    """The private word after answering, skipping or being away."""
    value = str(round_.id)
    offered = [button("Change my answers" if said.startswith("Thank") else "Answer after all", "standup:answer", value)]
    if blocked:
        offered.append(button("Make my blocker an issue", "standup:issue", value, style="primary"))
    text = f"{said} {standup.name}, {day(round_.day)}."
    return Message(esc(text), [section(plain(text)), actions(offered)])


def choice(found: Sequence[tuple[Standup, StandupRound, StandupEntry]]) -> Message:
    """Which of several rounds to answer."""
    text = "Which one?"
    blocks = [
        section(
            plain(f"{standup.name}, {day(round_.day)}: {entry.state.label.lower()}"),
            button("Answer", "standup:answer", str(round_.id), says=f"Answer {standup.name}"),
        )
        for standup, round_, entry in found
    ]
    return Message(text, [section(plain(text)), *blocks])


def digest(
    standup: Standup,
    round_: StandupRound,
    entries: Sequence[StandupEntry],
    people: People,
    open_blockers: Sequence[Item],
    made: Mapping[int, str],
) -> Message:
    """The channel's message: who answered what, what is in the way, and how many are still to come, never who."""
    told = [entry for entry in entries if entry.answered_at is not None]
    waiting = sum(entry.state is EntryState.WAITING for entry in entries)
    text = f"{standup.name}, {day(round_.day)}: {_people(len(told))} answered"
    state = f"{waiting} still to come" if round_.is_open and waiting else "closed" if not round_.is_open else ""
    blocks = [header(f"{standup.name}, {day(round_.day)}")]
    blocks.append(note(plain(" · ".join(filter(None, [f"{_people(len(told))} answered", state])))))
    for entry in told[:DIGEST_PEOPLE_MAX]:
        if standup.report is StandupReport.DIGEST:
            blocks += [divider(), *answer_blocks(round_, entry, people, made)]
    if standup.report is StandupReport.THREAD and told:
        blocks.append(section(plain("Who answered: " + ", ".join(name_of(people, e.person_id) for e in told), 2_900)))
    if len(told) > DIGEST_PEOPLE_MAX:
        blocks.append(note(plain(f"and {len(told) - DIGEST_PEOPLE_MAX:,} more: `/standup history` shows them")))
    if open_blockers:
        lines = [
            f"{item.reference} {item.record.title} ({name_of(people, item.record.owner_id)})" for item in open_blockers
        ]
        blocks += [divider(), rich(("Still in the way: ", "bold"), "\n" + "\n".join(lines[:10]))]
    return Message(esc(text), blocks)


def answer_blocks(round_: StandupRound, entry: StandupEntry, people: People, made: Mapping[int, str]) -> list[Block]:
    """One person's answers, with their blocker's issue or the button that makes one."""
    marks = [
        "late" if entry.state is EntryState.LATE else "",
        "changed" if entry.edited_at else "",
        MOODS[entry.mood - 1] if entry.mood and entry.mood <= len(MOODS) else "",
    ]
    name = name_of(people, entry.person_id)
    runs: list[str | tuple[str, str]] = [(name, "bold"), "".join(f" · {mark}" for mark in marks if mark)]
    for question, answer in zip(round_.questions, entry.answers, strict=False):
        if standups.is_nothing(answer):
            continue
        runs += ["\n", (asked(question), "italic"), "\n" + cut(answer.strip(), DIGEST_ANSWER_MAX)]
    blocks = [rich(*runs)]
    if blockers(entry, round_.questions):
        if issue := made.get(entry.issue_id or 0):
            blocks.append(note(plain(f"🚧 {issue}")))
        else:
            value = f"{round_.id} {entry.person_id}"
            press = button("Make it an issue", "standup:issue", value, says=f"Make an issue of what blocks {name}")
            blocks.append(actions([press]))
    return blocks


def missing(standup: Standup, round_: StandupRound, names: Sequence[str]) -> Message:
    """For the one person who hears it: who did not answer."""
    text = f"{standup.name}, {day(round_.day)}: {_people(len(names))} did not answer"
    who = section(plain(f"{text}.\n{', '.join(names)}", 2_900))
    return Message(esc(text), [who, note(plain("Only you see this."))])


def nobody_to_ask(standup: Standup) -> Message:
    """For whoever set it up: a round began with nobody in it."""
    text = f"{standup.name} has nobody to ask: its channel is empty for me, or those it names have left."
    blocks = [
        section(plain(f"{text} Invite me to the channel, or choose people.")),
        actions([button("Change", "standup:edit", str(standup.id), says=f"Change {standup.name}")]),
    ]
    return Message(esc(text), blocks)


def trouble(standup: Standup, what: str, reason: str) -> Message:
    """For whoever set it up: what could not be sent and why; nothing is lost. `what` is mrkdwn."""
    text = f"{esc(standup.name)}: {what}. {esc(reason)} What was answered is kept: `/standup history` in the channel."
    return Message(text, [section(mrkdwn(text))])


def history(standup: Standup, found: History, people: People, *, own_only: bool) -> Message:
    """Rounds and participation in numbers."""
    blocks = [section(mrkdwn(f"*History of {esc(standup.name)}*"))]
    if not found.rounds:
        blocks.append(section(plain("No round yet.")))
        return Message(esc(f"History of {standup.name}"), blocks)
    blocks.append(section(plain("\n".join(map(_round_line, found.rounds)))))
    shares = [_share(each, "You" if own_only else name_of(people, each.person_id)) for each in found.people]
    blocks += [divider(), section(plain("\n".join(shares), 2_900))] if shares else []
    blocks.append(note(plain("The last 30 rounds. Who is away is not counted.")))
    return Message(esc(f"History of {standup.name}"), blocks)


def _round_line(found: Round) -> str:
    blocked = f", {found.blocked} blocked" if found.blocked else ""
    return f"{day(found.day)}: {found.answered:,} of {found.asked:,} answered{blocked}"


def _share(found: Participation, who: str) -> str:
    """`Ben Fischer: 8 of 10 (80 %), 2 late, 1 away`."""
    counts = ((found.late, "late"), (found.skipped, "skipped"), (found.away, "away"))
    rest = "".join(f", {count} {word}" for count, word in counts if count)
    return f"{who}: {found.answered} of {found.asked} ({100 * found.answered // max(1, found.asked)} %){rest}"


def in_hours(minutes: int) -> str:
    if minutes % 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes // 60} hours"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _weeks(count: int) -> str:
    return "every week" if count == 1 else f"every {count} weeks"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _before_the_end(minutes: int) -> str:
    return f"{minutes} minutes before the end" if minutes else "Not at all"


def _text(value: str, limit: int, *, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "max_length": limit, "multiline": multiline}
    return element | ({"initial_value": cut(value, limit)} if value else {})


def _menu(choices: Mapping[str, str], chosen: str) -> Block:
    options = [option(label, key) for key, label in choices.items()]
    initial = next((each for each in options if each["value"] == chosen), None)
    return {"type": "static_select", "options": options} | ({"initial_option": initial} if initial else {})


def _checkboxes(choices: Mapping[str, str], chosen: Sequence[str]) -> Block:
    options = [option(label, key) for key, label in choices.items()]
    initial = [each for each in options if each["value"] in chosen]
    return {"type": "checkboxes", "options": options} | ({"initial_options": initial} if initial else {})


def _chosen(state: Mapping[str, Any], block_id: str) -> list[str]:
    picked = element_in(state, block_id).get("selected_options") or []
    return [str(each.get("value")) for each in picked]


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdigit() else otherwise
