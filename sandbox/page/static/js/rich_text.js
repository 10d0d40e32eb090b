// rich_text blocks: drawing them, and reading one out of what a person typed into an editor.

import { h } from "./dom.js";
import { drawable, emojiFor } from "./emoji.js";
import { broadcast, channelMention, dateNode, emojiNode, link, userMention } from "./mrkdwn.js";
import { state } from "./store.js";

const STYLES = [["code", "code"], ["strike", "s"], ["italic", "em"], ["bold", "strong"], ["underline", "u"], ["highlight", "mark"], ["client_highlight", "mark"]];

function styled(node, style = {}) {
  return STYLES.reduce((inner, [name, tag]) => (style?.[name] ? h(tag, {}, inner) : inner), node);
}

function emojiOf(element) {
  const character = element.unicode && drawable
    ? String.fromCodePoint(...element.unicode.split("-").map((code) => parseInt(code, 16)))
    : emojiFor(element.skin_tone ? `${element.name}::skin-tone-${element.skin_tone}` : element.name);
  return character ? emojiNode(element.name, character) : h("span", {}, `:${element.name}:`);
}

const INLINE = {
  text: (element) => h("span", { class: "lines" }, element.text),
  link: (element) => link(element.url, element.text || element.url),
  emoji: emojiOf,
  user: (element) => userMention(element.user_id),
  team: (element) => h("span", { class: "mention" }, `@${element.team_id === state.boot?.team?.id ? state.boot.team.name : element.team_id}`),
  channel: (element) => channelMention(element.channel_id),
  usergroup: (element) => h("span", { class: "mention" }, `@${element.usergroup_id}`),
  broadcast: (element) => broadcast(element.range),
  date: (element) => dateNode(element.timestamp, element.format, element.url, element.fallback),
  color: (element) => h("span", { class: "color-value" }, h("span", { class: "swatch", style: { background: element.value }, "aria-hidden": "true" }), element.value),
};

const inlineNodes = (elements) =>
  (elements ?? []).map((element) => {
    const draw = INLINE[element.type];
    return draw ? styled(draw(element), element.style) : h("span", { class: "quiet" }, `[${element.type}]`);
  });

/** List items of deeper indent belong inside the item above them; drawn flat with a margin, as Slack keeps them apart. */
function list(element) {
  const tag = element.style === "ordered" ? "ol" : "ul";
  const depth = Math.min(element.indent ?? 0, 8);
  return h(
    tag,
    { class: `rich-list depth-${depth}${element.border ? " bordered" : ""}`, start: element.offset ? element.offset + 1 : null },
    (element.elements ?? []).map((item) => h("li", {}, item.type === "rich_text_section" ? inlineNodes(item.elements) : blockNode(item))),
  );
}

const BLOCKS = {
  rich_text_section: (element) => h("div", { class: "rich-section" }, inlineNodes(element.elements)),
  rich_text_list: list,
  rich_text_quote: (element) => h("blockquote", {}, inlineNodes(element.elements)),
  rich_text_preformatted: (element) => h("pre", { tabindex: "0" }, inlineNodes(element.elements)),
};

function blockNode(element) {
  const draw = BLOCKS[element.type];
  return draw ? draw(element) : h("span", { class: "quiet" }, `[${element.type}]`);
}

/** A rich_text block as a list of nodes. */
export const richText = (block) => (block?.elements ?? []).map(blockNode);

// --- reading an editor

const STYLE_OF = { B: "bold", STRONG: "bold", I: "italic", EM: "italic", S: "strike", STRIKE: "strike", DEL: "strike", CODE: "code" };
const LINE = new Set(["DIV", "P", "LI", "BLOCKQUOTE"]);

function pushText(out, text, style) {
  if (!text) return;
  const last = out.at(-1);
  if (last && JSON.stringify(last.style ?? {}) === JSON.stringify(style)) last.text += text;
  else out.push(Object.keys(style).length ? { type: "text", text, style } : { type: "text", text });
}

function collect(node, style, out) {
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) pushText(out, child.textContent.replaceAll("\u00a0", " "), style);
    else if (child.tagName === "BR") pushText(out, "\n", style);
    else {
      if (LINE.has(child.tagName) && out.length && !out.at(-1).text.endsWith("\n")) pushText(out, "\n", {});
      collect(child, STYLE_OF[child.tagName] ? { ...style, [STYLE_OF[child.tagName]]: true } : style, out);
    }
  }
}

function section(nodes) {
  const holder = { childNodes: nodes };
  const elements = [];
  collect(holder, {}, elements);
  if (elements.length) elements[elements.length - 1].text = elements.at(-1).text.replace(/\n$/, "");
  return elements.filter((element) => element.text);
}

/** The rich_text block of what stands in a contenteditable node, or null when it is empty. */
export function readEditor(editor) {
  const blocks = [];
  let open = [];
  const close = () => {
    const elements = section(open);
    if (elements.length) blocks.push({ type: "rich_text_section", elements });
    open = [];
  };
  for (const child of editor.childNodes) {
    if (child.tagName === "UL" || child.tagName === "OL") {
      close();
      const items = [...child.children].map((item) => ({ type: "rich_text_section", elements: section([...item.childNodes]) })).filter((item) => item.elements.length);
      if (items.length) blocks.push({ type: "rich_text_list", style: child.tagName === "OL" ? "ordered" : "bullet", indent: 0, elements: items });
    } else open.push(child);
  }
  close();
  const empty = blocks.every((block) => block.elements.every((element) => element.type === "text" && !element.text.trim()));
  return empty ? null : { type: "rich_text", elements: blocks };
}

/** The characters of a rich_text block, as a length check counts them. */
export function richLength(block) {
  const texts = (element) => (element.text ? [element.text] : (element.elements ?? []).flatMap(texts));
  return (block?.elements ?? []).flatMap(texts).join("").length;
}
