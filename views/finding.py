"""What was found by its words: ten records to a page, best first, each with the place where the words stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.filters import Filters, Scope, Search
from reports.finding import Excerpt
from reports.work import Line, Page
from views.blocks import Block, Message, actions, button, divider, esc, mrkdwn, note, plain, rich, section
from views.lists import in_all, limits_in_words, which
from views.values import People, due, name_of


@dataclass(frozen=True)
class Hits:
    """What was looked for. `line` is the search as one line, which its buttons carry; `places` the projects it is of.

    `excerpts` says by reference where words stand that are not in the title.
    """

    search: Search
    line: str
    places: tuple[str, ...]
    excerpts: Mapping[str, Excerpt | None]


def found_list(page: Page, people: People, hits: Hits) -> Message:
    """A private list of what was found, whose buttons turn it in place."""
    looked_for = " ".join([*hits.search.words, *(f'"{phrase}"' for phrase in hits.search.phrases)])
    title = f"{in_all(page).capitalize() if page.total else 'Nothing'} found for {looked_for}"
    limits = _limits(hits, people)
    blocks: list[Block] = [rich((title, "bold"))]
    blocks += [note(plain("Only: " + " · ".join(limits)))] if limits else []
    for line in page.lines:
        blocks += _hit(line, people, hits.excerpts.get(line.item.reference))
    if not page.lines:
        blocks.append(section(mrkdwn(_ADVICE + (_OF_FILTERS if limits else ""))))
        return Message(esc(title), blocks)
    blocks += [divider(), note(plain(f"{which(page)} of {in_all(page)}"))]
    if page.is_cut:
        blocks.append(note(mrkdwn(_cut_in_words(page, hits.search.filters))))
    turns = list(_turns(page, hits.line))
    return Message(esc(title), [*blocks, *([actions(turns)] if turns else [])])


_ADVICE = (
    "I looked through the titles, other texts and comments of everything you can see, closed records too. "
    "Fewer or shorter words find more: `switch` also finds “switches”."
)
_OF_FILTERS = ' Above is what I took for filters; to look for such a word, put it in quotes, as in `"open"`.'


def _cut_in_words(page: Page, filters: Filters) -> str:
    """mrkdwn: what is shown of more than was counted, and what would leave fewer."""
    is_limited = {"open": filters.scope or filters.statuses, "risks": filters.kinds, "@me": filters.owners}
    free = [f"`{word}`" for word, limits in is_limited.items() if not limits]
    more = f"One more word, or a filter as {' or '.join(free[:2])}," if free else "One more word"
    return f"These are the best of the newest {page.total:,}. {more} leaves fewer."


def _limits(hits: Hits, people: People) -> list[str]:
    """What limits the search, in words."""
    filters = hits.search.filters
    kinds = [" and ".join(kind.plural for kind in filters.wanted_kinds)] if filters.kinds else []
    scope = [filters.scope.label.lower()] if filters.scope not in (None, Scope.ALL) else []
    return [*kinds, *scope, *limits_in_words(filters, people), *hits.places]


def _hit(line: Line, people: People, excerpt: Excerpt | None) -> list[Block]:
    item, record = line.item, line.item.record
    is_late = record.is_open and line.urgency == "Overdue"
    due_words = due(item, line.project, line.today if record.is_open else None)
    facts = [
        item.status.label if record.is_open else f"Closed: {item.status.label.lower()}",
        name_of(people, record.owner_id),
        f"🔴 {due_words}" if is_late else due_words,
        line.project.name,
    ]
    text = f"{item.kind.emoji} {item.reference}  {record.title}\n" + " · ".join(filter(None, facts))
    opens = button("Show", "show", item.reference, says=f"Show {item.reference}")
    drawn = [section(plain(text), opens)]
    if excerpt is not None:
        drawn.append(rich((f"{excerpt.label}: ", "italic"), excerpt.before, (excerpt.match, "bold"), excerpt.after))
    return drawn


def _turns(page: Page, line: str) -> Iterator[Block]:
    if page.number:
        yield button("Previous", "found:previous", f"{page.number - 1} {line}")
    if not page.is_last:
        yield button("Next", "found:next", f"{page.number + 1} {line}")
