"""The rules of Block Kit that look at more than one field: per element, per block, per message or view."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.block_kit.shapes import Node, Path, Violation
from sandbox.block_kit.tables import (
    BLOCK_SURFACES,
    ELEMENT_SURFACES,
    LONGEST_MARKDOWN,
    UNREAD_BLOCKS,
    Surface,
)

NodeRule = Callable[[Node], Iterator[Violation]]
DocumentRule = Callable[[list[Node], Surface], Iterator[Violation]]


# ------------------------------------------------------------------------------------------------------ one element


def _placed(items: object, path: Path) -> list[tuple[Path, Any]]:
    return [((*path, index), item) for index, item in enumerate(items)] if isinstance(items, list) else []


def _offered(element: Node) -> list[tuple[Path, Any]]:
    """The options an element offers, its groups opened, with their places."""
    offered = _placed(element.value.get("options"), (*element.path, "options"))
    for place, group in _placed(element.value.get("option_groups"), (*element.path, "option_groups")):
        if isinstance(group, dict):
            offered += _placed(group.get("options"), (*place, "options"))
    return offered


def _initial(element: Node) -> list[tuple[Path, Any]]:
    """The options an element has picked from the start, with their places."""
    picked = _placed(element.value.get("initial_options"), (*element.path, "initial_options"))
    if isinstance(element.value.get("initial_option"), dict):
        picked.append(((*element.path, "initial_option"), element.value["initial_option"]))
    return picked


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None


def options_or_groups(element: Node) -> Iterator[Violation]:
    """A static menu has options or groups of options, one of the two."""
    if (element.value.get("options") is None) == (element.value.get("option_groups") is None):
        message = "must define exactly one of `options` or `option_groups`"
        yield Violation(element.path, "options_xor_option_groups", message)


def _identity(option: object) -> tuple[object, ...]:
    """What makes two options the same for Slack: value and text. Nothing equals a thing that is no option."""
    if not isinstance(option, dict):
        return (object(),)
    words = option.get("text")
    return option.get("value"), *((words.get("type"), words.get("text")) if isinstance(words, dict) else (words,))


def initial_is_offered(element: Node) -> Iterator[Violation]:
    """What is picked from the start is among what is offered."""
    picked = _initial(element)
    offered = [_identity(option) for _, option in _offered(element)] if picked else []
    for path, option in picked:
        if _identity(option) not in offered:
            yield Violation(path, "initial_in_options", "must be one of the provided options")


def no_option_url(element: Node) -> Iterator[Violation]:
    """Only the options of an overflow menu lead to an address."""
    for path, option in _offered(element) + _initial(element):
        if isinstance(option, dict) and "url" in option:
            yield Violation((*path, "url"), "option_url_overflow_only", "invalid additional property: url")


def bounds_in_order(low: str, high: str) -> NodeRule:
    """A rule: the least of something is not above its most."""

    def rule(element: Node) -> Iterator[Violation]:
        least, most = _number(element.value.get(low)), _number(element.value.get(high))
        if least is not None and most is not None and least > most:
            message = f"{low} must not be greater than {high}"
            yield Violation((*element.path, low), "min_not_above_max", message)

    return rule


def number_within_bounds(element: Node) -> Iterator[Violation]:
    """A number given at the start lies within the bounds of its input."""
    bounds = (element.value.get(key) for key in ("initial_value", "min_value", "max_value"))
    value, least, most = (_number(bound) for bound in bounds)
    if value is not None and ((least is not None and value < least) or (most is not None and value > most)):
        message = "initial_value must lie within min_value and max_value"
        yield Violation((*element.path, "initial_value"), "min_not_above_max", message)


def text_within_length(element: Node) -> Iterator[Violation]:
    """A text given at the start is not longer than one could type."""
    value, longest = element.value.get("initial_value"), element.value.get("max_length")
    if isinstance(value, str) and isinstance(longest, int) and len(value) > longest:
        message = f"must be less than {longest + 1} characters"
        yield Violation((*element.path, "initial_value"), "min_not_above_max", message)


def whole_numbers(element: Node) -> Iterator[Violation]:
    """A number input without decimals is given none."""
    if element.value.get("is_decimal_allowed") is not False:
        return
    for key in ("initial_value", "min_value", "max_value"):
        if "." in str(element.value.get(key, "")):
            yield Violation((*element.path, key), "decimal_needs_flag", "decimals need is_decimal_allowed")


def one_slack_file(node: Node) -> Iterator[Violation]:
    """A file in Slack is named by its id or by its address, one of the two."""
    file = node.value.get("slack_file")
    if isinstance(file, dict) and ("id" in file) == ("url" in file):
        message = "must define exactly one of `id` or `url`"
        yield Violation((*node.path, "slack_file"), "slack_file_one_of", message)


CHOICE_RULES: tuple[NodeRule, ...] = (initial_is_offered, no_option_url)
ELEMENT_RULES: dict[str, tuple[NodeRule, ...]] = {
    "static_select": (options_or_groups, *CHOICE_RULES),
    "multi_static_select": (options_or_groups, *CHOICE_RULES),
    "external_select": (no_option_url,),
    "multi_external_select": (no_option_url,),
    "checkboxes": CHOICE_RULES,
    "radio_buttons": CHOICE_RULES,
    "plain_text_input": (bounds_in_order("min_length", "max_length"), text_within_length),
    "rich_text_input": (bounds_in_order("min_lines", "max_lines"),),
    "number_input": (bounds_in_order("min_value", "max_value"), number_within_bounds, whole_numbers),
    "image": (one_slack_file,),
}

# -------------------------------------------------------------------------------------------------------- one block


def section_says_something(block: Node) -> Iterator[Violation]:
    """A section has text, fields or both."""
    if block.value.get("text") is None and block.value.get("fields") is None:
        message = "must define either `text` or `fields`"
        yield Violation((*block.path, "type"), "section_needs_text_or_fields", message)


def card_says_something(block: Node) -> Iterator[Violation]:
    """A card has at least one of the parts that show."""
    if not any(block.value.get(key) for key in ("hero_image", "title", "actions", "body")):
        message = "must define one of `hero_image`, `title`, `actions`, `body`"
        yield Violation(block.path, "card_needs_content", message)


def card_has_one_icon(block: Node) -> Iterator[Violation]:
    """A card's icon is an image or one of Slack's own."""
    if "icon" in block.value and "slack_icon" in block.value:
        yield Violation(block.path, "card_one_icon", "must not define both `icon` and `slack_icon`")


def container_header(block: Node) -> Iterator[Violation]:
    """A container has a title; its divider is for those that do not fold, being folded for those that do."""
    value, code = block.value, "container_title"
    if "title" not in value and "rich_text_title" not in value:
        yield Violation(block.path, code, "must define either `title` or `rich_text_title`")
    if value.get("is_collapsible") and value.get("has_header_divider"):
        yield Violation((*block.path, "has_header_divider"), code, "only when is_collapsible is not true")
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        yield Violation((*block.path, "default_collapsed"), code, "requires is_collapsible")


def files_wait_for_submission(block: Node) -> Iterator[Violation]:
    """An input of files sends nothing before the form is submitted."""
    element = block.value.get("element")
    if isinstance(element, dict) and element.get("type") == "file_input" and block.value.get("dispatch_action"):
        yield Violation((*block.path, "dispatch_action"), "file_input_no_dispatch", "unsupported type: file_input")


BLOCK_RULES: dict[str, tuple[NodeRule, ...]] = {
    "section": (section_says_something,),
    "card": (card_says_something, card_has_one_icon),
    "container": (container_header,),
    "input": (files_wait_for_submission,),
    "image": (one_slack_file,),
}

# ---------------------------------------------------------------------------------------------- one message or view


def on_its_surface(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """Blocks and elements stand where Slack shows them."""
    for node in nodes:
        places = (BLOCK_SURFACES if node.role == "block" else ELEMENT_SURFACES).get(node.kind)
        if places is not None and surface not in places:
            message = f"unsupported type: {node.kind} (not available in a {surface})"
            yield Violation((*node.path, "type"), "wrong_surface", message)


def block_ids_differ(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """No two blocks of a message or view share a block_id."""
    seen: Counter[str] = Counter()
    for node in nodes:
        name = node.value.get("block_id") if node.role == "block" else None
        if not isinstance(name, str):
            continue
        seen[name] += 1
        if seen[name] == 2 and node.kind not in UNREAD_BLOCKS:
            message = f'`block_id` "{name}" already exists'
            yield Violation((*node.path, "block_id"), "unique_block_id", message)


def action_ids_differ(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """No two elements of a block share an action_id; a carousel's cards and a container's blocks are within it."""
    seen: Counter[tuple[Path, str]] = Counter()
    for node in nodes:
        name = node.value.get("action_id") if node.role == "element" else None
        if not isinstance(name, str):
            continue
        for block in node.inside:
            seen[block.path, name] += 1
            if seen[block.path, name] == 2:
                message = f'`action_id` "{name}" already exists'
                yield Violation((*node.path, "action_id"), "unique_action_id", message)


def one_focus(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """At most one element has the focus on loading."""
    focused = [node for node in nodes if node.role == "element" and node.value.get("focus_on_load") is True]
    if len(focused) > 1:
        message = "only one element can be focused on load"
        yield Violation((*focused[1].path, "focus_on_load"), "one_focus_on_load", message)


def response_urls_in_inputs(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """A menu gives a response_url only from an input block of a modal."""
    for node in nodes:
        if node.role == "element" and node.value.get("response_url_enabled"):
            if surface == "modal" and node.inside[-1].kind == "input":
                continue
            message = "only works with menus in input blocks in modals"
            yield Violation((*node.path, "response_url_enabled"), "response_url_enabled_context", message)


def one_table(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """A message has at most one table."""
    tables = [node for node in nodes if node.role == "block" and node.kind in ("table", "data_table")]
    if surface == "message" and len(tables) > 1:
        yield Violation(tables[1].path, "one_table_per_message", "only_one_table_allowed")


def markdown_in_all(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """All markdown blocks together are no longer than one may be."""
    total = 0
    for node in nodes:
        text = node.value.get("text")
        if node.role != "block" or node.kind != "markdown" or not isinstance(text, str):
            continue
        before, total = total, total + len(text)
        if before <= LONGEST_MARKDOWN < total and len(text) <= LONGEST_MARKDOWN:
            message = f"all markdown blocks together must be less than {LONGEST_MARKDOWN + 1} characters"
            yield Violation((*node.path, "text"), "markdown_total_length", message)


DOCUMENT_RULES: tuple[DocumentRule, ...] = (
    on_its_surface,
    block_ids_differ,
    action_ids_differ,
    one_focus,
    response_urls_in_inputs,
    one_table,
    markdown_in_all,
)


def check_rules(nodes: list[Node], surface: Surface) -> Iterator[Violation]:
    """What these blocks and elements, met in one message or view, break of the rules above."""
    for node in nodes:
        for rule in (BLOCK_RULES if node.role == "block" else ELEMENT_RULES).get(node.kind, ()):
            yield from rule(node)
    for document_rule in DOCUMENT_RULES:
        yield from document_rule(nodes, surface)


def inputs_need_submit(view: dict[str, Any], nodes: list[Node]) -> Iterator[Violation]:
    """A modal with an input block has a button to submit it."""
    inputs = [node for node in nodes if node.role == "block" and node.kind == "input"]
    if inputs and not view.get("submit"):
        message = "must define `submit` to use an `input` block in modals"
        yield Violation(inputs[0].path, "submit_required_with_input", message)
