// Blocks, as messages, modals and Home tabs show them. A surface is {form, act, query, changed?}.

import { drawElement, knowsElement } from "./elements.js";
import { h, hidden, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { link, plainText, safeUrl, textNodes } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

/** A quiet box for what this page cannot draw. */
export const unknown = (what) => h("div", { class: "unknown-block", "data-testid": "unknown-block" }, `${what} cannot be shown here.`);

/** An address for <img>: this workspace's own files from here, whatever name its server went by when it wrote them. */
export function mediaUrl(url) {
  const href = url && (url.startsWith("data:image/") ? url : safeUrl(url));
  if (!href || href.startsWith("data:")) return href || null;
  const parsed = new URL(href);
  return ["127.0.0.1", "localhost"].includes(parsed.hostname) || parsed.origin === location.origin ? parsed.pathname + parsed.search : href;
}

/** The address of an image element or block, which may name a Slack file instead. */
const imageSource = (block) => mediaUrl(block.image_url ?? block.slack_file?.url ?? (block.slack_file?.id ? `/files/${block.slack_file.id}/image` : null));

/** A picture that turns into its alternative text when it cannot be loaded. */
export function picture(source, alt, className = "") {
  const missing = () => h("span", { class: `picture-missing ${className}`, role: "img", "aria-label": alt }, icon("file", 16), alt);
  if (!source) return missing();
  const node = h("img", { src: source, alt, class: className, loading: "lazy", onerror: () => node.replaceWith(missing()) });
  return node;
}

const elementIn = (element, surface, block, more = {}) => {
  if (element.type === "image") return picture(imageSource(element), element.alt_text ?? "", "accessory-image");
  return knowsElement(element.type) ? drawElement(element, { ...surface, ...more, blockId: block.block_id }) : unknown(`A “${element.type}” element`);
};

function section(block, surface) {
  const textId = uniqueId("section");
  const fields = block.fields?.length ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, textNodes(field)))) : null;
  const isField = block.accessory && !["button", "overflow", "image", "workflow_button"].includes(block.accessory.type);
  const accessory = block.accessory && elementIn(block.accessory, surface, block, isField && block.text ? { attributes: { "aria-labelledby": textId } } : {});
  return h(
    "div",
    { class: `block section${accessory ? " has-accessory" : ""}` },
    h("div", { class: "section-main" }, block.text ? h("div", { class: "text", id: textId }, textNodes(block.text)) : null, fields),
    accessory ? h("div", { class: "accessory" }, accessory) : null,
  );
}

const header = (block) => h("p", { class: "block header", role: "heading", "aria-level": "3" }, plainText(block.text));

const divider = () => h("hr", { class: "block" });

function context(block) {
  const part = (element) => (element.type === "image" ? picture(imageSource(element), element.alt_text ?? "", "context-image") : h("span", { class: "text" }, textNodes(element)));
  return h("div", { class: "block context" }, (block.elements ?? []).map(part));
}

const actions = (block, surface) => h("div", { class: "block actions" }, (block.elements ?? []).map((element) => elementIn(element, surface, block)));

function image(block) {
  const title = block.title ? h("figcaption", {}, plainText(block.title)) : null;
  return h("figure", { class: "block image" }, title, picture(imageSource(block), block.alt_text ?? "", "block-image"));
}

function input(block, surface) {
  const labelId = uniqueId("label");
  const hintId = uniqueId("hint");
  const errorId = uniqueId("error");
  const error = h("p", { class: "field-error", id: errorId, hidden: true, "data-testid": "field-error" });
  const element = elementIn(block.element ?? {}, surface, block, {
    inInput: true, dispatches: Boolean(block.dispatch_action), optional: Boolean(block.optional),
    attributes: { "aria-labelledby": labelId, "aria-describedby": `${block.hint ? `${hintId} ` : ""}${errorId}`, "aria-required": block.optional ? null : "true" },
  });
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  return h(
    "div",
    { class: "block input" },
    h("div", { class: "label", id: labelId, onclick: (event) => focusField(event.currentTarget.parentElement) }, plainText(block.label), optional),
    element,
    error,
    block.hint ? h("p", { class: "hint", id: hintId }, plainText(block.hint)) : null,
  );
}

const fieldIn = (wrapper) => wrapper.querySelector("[data-focus], input, textarea, button");
const focusField = (wrapper) => fieldIn(wrapper)?.focus();

function video(block) {
  const target = block.title_url || block.video_url;
  const by = [block.author_name, block.provider_name].filter(Boolean).join(" · ");
  const thumb = h("span", { class: "video-thumb" }, picture(mediaUrl(block.thumbnail_url), block.alt_text ?? "", "block-image"), h("span", { class: "video-play" }, icon("play", 28)));
  return h(
    "figure",
    { class: "block video" },
    h("figcaption", {}, h("strong", {}, link(target, plainText(block.title))), by ? h("small", {}, by) : null),
    block.description ? h("p", {}, plainText(block.description)) : null,
    link(block.video_url, [thumb, hidden("Play the video in a new tab")]),
  );
}

function cell(content) {
  if (!content) return null;
  if (content.type === "rich_text") return richText(content);
  return content.text ?? content.value ?? "";
}

const CELL_ORDER = (content) => (content?.type === "raw_number" ? Number(content.value) : null);

function tableNode(rows, { settings = [], rowHeader = null, caption, label, onSort, sorted } = {}) {
  const [head, ...body] = rows;
  const classOf = (column, content) => {
    const setting = settings[column] ?? {};
    const align = setting.align ?? (content?.type === "raw_number" ? "right" : "left");
    return `align-${align}${setting.is_wrapped === false ? " nowrap" : ""}`;
  };
  const heading = (content, column) =>
    h("th", { scope: "col", class: classOf(column, content), "aria-sort": sorted?.column === column ? (sorted.down ? "descending" : "ascending") : null },
      onSort ? h("button", { type: "button", class: "sort", onclick: () => onSort(column) }, cell(content), sorted?.column === column ? (sorted.down ? " ↓" : " ↑") : null) : cell(content));
  const row = (contents) =>
    h("tr", {}, contents.map((content, column) => h(column === rowHeader ? "th" : "td", { scope: column === rowHeader ? "row" : null, class: classOf(column, content) }, cell(content))));
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label ?? "Table" },
    h("table", { class: "data" }, caption ? h("caption", {}, caption) : null, h("thead", {}, h("tr", {}, (head ?? []).map(heading))), h("tbody", {}, body.map(row))),
  );
}

const table = (block) => h("div", { class: "block" }, tableNode(block.rows ?? [], { settings: block.column_settings ?? [] }));

function dataTable(block) {
  const [head, ...body] = block.rows ?? [];
  const size = block.page_size ?? 20;
  const pages = Math.max(1, Math.ceil(body.length / size));
  let page = 0;
  let sorted = null;
  const order = (a, b) => {
    const [x, y] = [a[sorted.column], b[sorted.column]];
    const numbers = [CELL_ORDER(x), CELL_ORDER(y)];
    const result = numbers.includes(null) ? String(x?.text ?? "").localeCompare(String(y?.text ?? "")) : numbers[0] - numbers[1];
    return sorted.down ? -result : result;
  };
  const holder = h("div", { class: "block data-table" });
  const step = (label, to, isEnd) => h("button", { type: "button", class: "button small", disabled: isEnd, onclick: () => ((page = to), draw()) }, label);
  const onSort = (column) => {
    sorted = { column, down: sorted?.column === column && !sorted.down };
    page = 0;
    draw();
  };
  const draw = () => {
    const rows = sorted ? [...body].sort(order) : body;
    const shown = rows.slice(page * size, (page + 1) * size);
    const pager = pages > 1 ? h("div", { class: "pager" }, step("Previous", page - 1, page === 0), h("span", { role: "status" }, `Page ${page + 1} of ${pages}`), step("Next", page + 1, page === pages - 1)) : null;
    holder.replaceChildren(tableNode([head ?? [], ...shown], { rowHeader: block.row_header_column_index ?? 0, caption: block.caption, label: block.caption, onSort, sorted }), ...(pager ? [pager] : []));
  };
  draw();
  return holder;
}

function card(block, surface) {
  const buttons = (block.actions ?? []).map((element) => elementIn(element, surface, block));
  const mark = block.icon ? picture(imageSource(block.icon), block.icon.alt_text ?? "", "card-icon") : block.slack_icon ? h("span", { class: "card-icon drawn" }, icon(ICONS[block.slack_icon.name] ?? "file", 18)) : null;
  const part = (content, name) => (content ? h("div", { class: `text ${name}` }, textNodes(content)) : null);
  return h(
    "article",
    { class: "block card" },
    block.hero_image ? picture(imageSource(block.hero_image), block.hero_image.alt_text ?? "", "card-hero") : null,
    h("div", { class: "card-main" },
      h("div", { class: "card-head" }, mark, h("div", {}, part(block.title, "card-title"), part(block.subtitle, "card-subtitle"))),
      part(block.body, "card-body"), part(block.subtext, "card-subtext"),
      buttons.length ? h("div", { class: "actions" }, buttons) : null),
  );
}

const ICONS = { file: "file", canvas: "file", list: "list", lock: "lock", calendar: "clock", link: "link", search: "search", user: "people" };

function carousel(block, surface) {
  const track = h("div", { class: "carousel-track", tabindex: "0", role: "list" }, (block.elements ?? []).map((each) => h("div", { role: "listitem" }, card(each, surface))));
  const move = (direction) => track.scrollBy({ left: direction * track.clientWidth * 0.8, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const arrow = (name, label, direction) => h("button", { type: "button", class: "icon-button bordered", "aria-label": label, onclick: () => move(direction) }, icon(name, 16));
  return h("div", { class: "block carousel", role: "region", "aria-label": `${(block.elements ?? []).length} cards` }, track, h("div", { class: "carousel-tools" }, arrow("left", "Previous cards", -1), arrow("right", "Next cards", 1)));
}

function container(block, surface) {
  const bodyId = uniqueId("container");
  const title = block.rich_text_title ? richText(block.rich_text_title) : block.title ? plainText(block.title) : null;
  const words = h("span", { class: "menu-words" }, title ? h("strong", {}, title) : null, block.subtitle ? h("small", {}, textNodes(block.subtitle)) : null);
  const mark = block.icon ? picture(imageSource(block.icon), block.icon.alt_text ?? "", "card-icon") : null;
  const body = h("div", { class: "container-body", id: bodyId, hidden: Boolean(block.is_collapsible && block.default_collapsed) }, drawBlocks(block.child_blocks, surface));
  const toggle = () => {
    body.hidden = !body.hidden;
    head.setAttribute("aria-expanded", String(!body.hidden));
  };
  const head = block.is_collapsible
    ? h("button", { type: "button", class: "container-head", "aria-expanded": String(!body.hidden), "aria-controls": bodyId, "data-focus": `container/${block.block_id}`, onclick: toggle }, mark, words, icon("down", 16))
    : h("div", { class: "container-head" }, mark, words);
  return h("section", { class: `block container width-${block.width ?? "standard"}${block.has_header_divider ? " lined" : ""}` }, title || block.subtitle || mark || block.is_collapsible ? head : null, body);
}

const contextActions = (block, surface) => h("div", { class: "block actions context-actions" }, (block.elements ?? []).map((element) => elementIn(element, surface, block)));

const TASK_STATES = { pending: "To do", in_progress: "In progress", complete: "Done", error: "Failed" };

function taskCard(block) {
  const status = block.status in TASK_STATES ? block.status : "pending";
  const sources = (block.sources ?? []).map((source) => h("li", {}, link(source.url, source.text)));
  return h(
    "div",
    { class: "block task" },
    h("div", { class: "task-head" }, h("span", { class: `task-state ${status}` }, TASK_STATES[status]), h("strong", {}, block.title)),
    block.details ? h("div", { class: "text" }, richText(block.details)) : null,
    block.output ? h("div", { class: "text task-output" }, richText(block.output)) : null,
    sources.length ? h("ul", { class: "task-sources", "aria-label": "Sources" }, sources) : null,
  );
}

const plan = (block) =>
  h("section", { class: "block plan" }, h("p", { class: "plan-title", role: "heading", "aria-level": "3" }, block.title), (block.tasks ?? []).map((task) => taskCard(task)));

const ALERTS = { default: "info", info: "info", warning: "warning", error: "warning", success: "check" };

const alert = (block) =>
  h("div", { class: `block alert ${block.level ?? "default"}`, role: "note" }, icon(ALERTS[block.level] ?? "info", 18), hidden(block.level && block.level !== "default" ? `${block.level}: ` : ""), h("div", { class: "text" }, textNodes(block.text)));

const fileBlock = (block) => h("div", { class: "block file" }, icon("file", 18), h("span", {}, block.file?.name ?? block.external_id ?? "A file"), h("small", {}, "Remote file"));

const BLOCKS = {
  section, header, divider, context, actions, image, input, video, table, card, carousel, container, plan, alert,
  rich_text: (block) => h("div", { class: "block text" }, richText(block)),
  markdown: (block) => h("div", { class: "block text markdown" }, markdown(block.text)),
  data_table: dataTable,
  context_actions: contextActions,
  task_card: taskCard,
  file: fileBlock,
};

function drawBlock(block, surface) {
  const draw = BLOCKS[block?.type];
  let node;
  try {
    node = draw ? draw(block, surface) : unknown(`A “${block?.type}” block`);
  } catch (problem) {
    console.warn("block not drawn", block, problem); // one odd block must not take the message with it
    node = unknown(`This “${block?.type}” block`);
  }
  if (block?.block_id) node.dataset.blockId = block.block_id;
  return node;
}

/** Blocks as a list of nodes. */
export function drawBlocks(blocks, surface) {
  return (blocks ?? []).map((block, index) => drawBlock(block?.block_id ? block : { ...block, block_id: `block-${index}` }, surface));
}

/** Say beside each field of `root` what is wrong with it ({block_id: sentence}); true when all of them could be shown. */
export function showErrors(root, errors) {
  const left = new Set(Object.keys(errors));
  let first = null;
  for (const wrapper of root.querySelectorAll(".block.input")) {
    const text = errors[wrapper.dataset.blockId];
    const line = wrapper.querySelector(".field-error");
    line.textContent = text ?? "";
    line.hidden = !text;
    wrapper.classList.toggle("invalid", Boolean(text));
    for (const field of wrapper.querySelectorAll("[aria-describedby]")) {
      if (text) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    left.delete(wrapper.dataset.blockId);
    if (text) first ??= wrapper;
  }
  if (first) focusField(first);
  return left.size === 0;
}
