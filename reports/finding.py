"""What records hold the words that somebody looks for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, union, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.filters import Scope, Search
from models.kinds import Item
from models.permissions import Actor
from models.search import Passage, Sought, newest_with, passages, relevance, said_with_any, sought_phrase, sought_word
from models.tables import Comment, Project, Record
from models.words import joined_words_of, words_of
from reports.filtering import alternatives_of, today_of_projects
from reports.work import MOST_COUNTED, Page, any_of, best_page_of, seen_ids

BEFORE, AFTER = 40, 80


def sought_in(search: Search) -> list[Sought]:
    """What is looked for. Empty where nothing of what was typed is a word."""
    typed = [*map(sought_word, search.words), *map(sought_phrase, search.phrases)]
    return [each for each in typed if each.ways]


async def found(
    session: AsyncSession,
    actor: Actor,
    search: Search,
    *,
    now: datetime,
    projects: Sequence[Project] | None = None,
    number: int = 0,
    size: int = 10,
) -> Page:
    """A page of the records that hold all that is looked for, of these projects or of all the actor may see.

    Best first: those whose titles hold it, then open ones, then what changed last. Where there are more than are
    counted, the newest alone are looked at. The filters are as for `reports.work.listed`, but closed records count
    unless they are left out.
    """
    wanted = sought_in(search)
    today = await today_of_projects(session, actor, projects, now)
    filters = replace(search.filters, scope=search.filters.scope or Scope.ALL)
    in_projects = [] if projects is None else [col(Record.project_id).in_([project.id for project in projects])]
    ways = [seen_ids(actor, [*in_projects, *way]) for way in alternatives_of(filters, actor, today)]
    queries = newest_with(session, ways, wanted)
    columns = (Record.title_words, Record.is_open, Record.updated_at)
    of = any_of(queries, MOST_COUNTED, columns, together=union_all if len(ways) == 1 else union)
    best = (relevance(of.title_words, wanted).desc(), of.is_open.desc(), of.updated_at.desc(), of.id.desc())
    query = select(of.id, func.count().over()).order_by(*best)
    return await best_page_of(session, query, MOST_COUNTED, now=now, number=number, size=size)


@dataclass(frozen=True)
class Excerpt:
    """Where in a record something was found, beside its title: the label of the text, and what stands around it."""

    label: str
    before: str
    match: str
    after: str


async def excerpts(
    session: AsyncSession, items: Sequence[Item], wanted: Sequence[Sought]
) -> Mapping[str, Excerpt | None]:
    """By reference, where in each record something was found; the comments are read where its own texts do not say."""
    places = {item.reference: excerpt(item, wanted) for item in items}
    unseen = {item.record.id: item for item in items if places[item.reference] is None and _elsewhere(item, wanted)}
    if unseen:
        query = select(Comment).where(col(Comment.record_id).in_(unseen), said_with_any(session, wanted))
        for comment in (await session.exec(query.order_by(col(Comment.id).desc()).limit(MOST_COMMENTS))).all():
            item = unseen[comment.record_id]
            places[item.reference] = places[item.reference] or excerpt(item, wanted, Passage("Comment", comment.text))
    return places


MOST_COMMENTS = 100


def excerpt(item: Item, wanted: Sequence[Sought], *comments: Passage) -> Excerpt | None:
    """The place of the first text that holds what the title does not; None where the title holds it all."""
    _, *others = passages(item)
    for passage in (*others, *comments):
        for each in _elsewhere(item, wanted):
            if spot := _spot(passage.text, each):
                return _around(passage, *spot)
    return None


def _elsewhere(item: Item, wanted: Sequence[Sought]) -> list[Sought]:
    """What is wanted and not in the title."""
    return [each for each in wanted if not _holds(item.record.title_words.split(), each)]


def _holds(words: Sequence[str], sought: Sought) -> bool:
    """Whether one of the ways is among the words, in whatever order."""
    return any(all(any(word.startswith(each) for word in words) for each in way) for way in sought.ways)


def _spot(text: str, sought: Sought) -> tuple[int, int] | None:
    """Where the first word stands by which that is found in the text, if it is found there."""
    for way in sought.ways:
        for match in re.finditer(r"\S+", text):
            words = [*words_of(match[0]), *joined_words_of(match[0])]
            if any(word.startswith(way[-1]) or word == way[0] for word in words):
                return match.span()
    return None


def _around(passage: Passage, start: int, stop: int) -> Excerpt:
    """What stands around that place, cut where words end, on one line."""
    text = passage.text
    stop = min(stop, start + AFTER)
    before, after = text[max(0, start - BEFORE) : start], text[stop : stop + AFTER]
    if start > BEFORE:
        before = "…" + before.partition(" ")[2]
    if stop + AFTER < len(text):
        after = after.rpartition(" ")[0] + "…"
    lead, trail = before[-1:].isspace(), after[:1].isspace()
    before, after = " ".join(before.split()), " ".join(after.split())
    return Excerpt(passage.label, before + " " * lead, text[start:stop], " " * trail + after)
