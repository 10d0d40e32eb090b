// Ordinary Markdown, as the markdown block takes it: headings, lists, tables, quotes, code, links.

import { h } from "./dom.js";
import { emojiFor } from "./emoji.js";
import { emojiNode, link } from "./mrkdwn.js";

// an address with balanced brackets in it, and a title that is not shown
const TARGET = String.raw`((?:[^()\s]|\([^()\s]*\))+)(?:\s+[^)]*)?`;

const INLINE = [
  [/^`([^`\n]+)`/, (found) => h("code", {}, found[1])],
  [new RegExp(`^!\\[([^\\]]*)\\]\\(${TARGET}\\)`), (found) => link(found[2], found[1] || found[2])],
  [new RegExp(`^\\[([^\\]]+)\\]\\(${TARGET}\\)`), (found) => link(found[2], inline(found[1]))],
  [/^<(https?:\/\/[^>\s]+)>/, (found) => link(found[1], found[1])],
  [/^\*\*\*(?=\S)(.+?)\*\*\*/s, (found) => h("strong", {}, h("em", {}, inline(found[1])))],
  [/^\*\*(?=\S)(.+?)\*\*/s, (found) => h("strong", {}, inline(found[1]))],
  [/^__(?=\S)(.+?)__/s, (found) => h("strong", {}, inline(found[1]))],
  [/^~~(?=\S)(.+?)~~/s, (found) => h("s", {}, inline(found[1]))],
  [/^\*(?=\S)([^*]+?)\*/s, (found) => h("em", {}, inline(found[1]))],
  [/^_(?=\S)([^_]+?)_(?![\p{L}\p{N}])/su, (found) => h("em", {}, inline(found[1]))],
  [/^https?:\/\/[^\s<>)]+[^\s<>).,;:!?]/, (found) => link(found[0], found[0])],
  [/^:([a-z0-9_+'-]+):/, (found) => (emojiFor(found[1]) ? emojiNode(found[1], emojiFor(found[1])) : null)],
  [/^\\([\\`*_{}[\]()#+\-.!~>|])/, (found) => found[1]],
];
const MAY_START = /[`![<*_~h:\\]/;

function inline(text) {
  const nodes = [];
  let run = "";
  for (let at = 0; at < text.length; ) {
    let hit = null;
    if (MAY_START.test(text[at]) && !(text[at] === "_" && /[\p{L}\p{N}]/u.test(text[at - 1] ?? ""))) {
      const rest = text.slice(at);
      for (const [pattern, draw] of INLINE) {
        const found = pattern.exec(rest);
        const node = found && draw(found);
        if (node) {
          hit = [node, found[0].length];
          break;
        }
      }
    }
    if (hit) {
      nodes.push(run, hit[0]);
      run = "";
      at += hit[1];
    } else {
      run += text[at];
      at += 1;
    }
  }
  return [...nodes, run];
}

const LIST_ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;
const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
const isRule = (line) => /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/.test(line);
const isTableRule = (line) => /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(line ?? "") && (line ?? "").includes("-");

function listFrom(lines) {
  const indent = LIST_ITEM.exec(lines[0])[1].length;
  const ordered = /^\s*\d/.test(lines[0]);
  const entries = [];
  for (const line of lines) {
    const found = LIST_ITEM.exec(line);
    if (found && found[1].length <= indent + 1) entries.push({ text: found[3], inner: [], number: parseInt(found[2], 10) });
    else if (found || entries.at(-1).inner.length) entries.at(-1).inner.push(line);
    else entries.at(-1).text += `\n${line.trim()}`;
  }
  const draw = ({ text, inner }) => {
    const task = /^\[([ xX])\]\s+(.*)$/s.exec(text);
    const box = task && h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": task[1] === " " ? "open" : "done" });
    return h("li", { class: task ? "task" : null }, box, inline(task ? task[2] : text), inner.length ? listFrom(inner) : null);
  };
  const start = ordered && entries[0].number !== 1 ? entries[0].number : null;
  return h(ordered ? "ol" : "ul", { start }, entries.map(draw));
}

/** Markdown as a list of nodes. */
export function markdown(text) {
  const lines = String(text ?? "").replaceAll("\r", "").split("\n");
  const nodes = [];
  const takeWhile = (test) => {
    const taken = [];
    while (lines.length && test(lines[0])) taken.push(lines.shift());
    return taken;
  };
  while (lines.length) {
    const line = lines[0];
    const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    const fence = /^ {0,3}(```|~~~)/.exec(line);
    if (!line.trim()) lines.shift();
    else if (fence) {
      lines.shift();
      const code = takeWhile((each) => !each.trimStart().startsWith(fence[1]));
      lines.shift();
      nodes.push(h("pre", { tabindex: "0" }, code.join("\n")));
    } else if (heading) {
      lines.shift();
      nodes.push(h("p", { class: `md-heading md-heading-${heading[1].length}`, role: "heading", "aria-level": 3 + Math.min(heading[1].length, 3) }, inline(heading[2])));
    } else if (isRule(line)) {
      lines.shift();
      nodes.push(h("hr"));
    } else if (/^ {0,3}>/.test(line)) {
      const quoted = takeWhile((each) => /^ {0,3}>/.test(each)).map((each) => each.replace(/^ {0,3}> ?/, ""));
      nodes.push(h("blockquote", {}, markdown(quoted.join("\n"))));
    } else if (LIST_ITEM.test(line)) {
      nodes.push(listFrom(takeWhile((each) => LIST_ITEM.test(each) || /^\s+\S/.test(each))));
    } else if (line.includes("|") && isTableRule(lines[1])) {
      const head = cells(lines.shift());
      const aligned = cells(lines.shift()).map((rule) => (rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "right") : "left"));
      const rows = takeWhile((each) => each.includes("|") && each.trim()).map(cells);
      const draw = (tag) => (cell, column) => h(tag, { class: `align-${aligned[column] ?? "left"}`, scope: tag === "th" ? "col" : null }, inline(cell));
      nodes.push(
        h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table" },
          h("table", { class: "data" }, h("thead", {}, h("tr", {}, head.map(draw("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(draw("td"))))))),
      );
    } else {
      const starts = (each) => !each.trim() || /^ {0,3}(#{1,6}\s|```|~~~|>)/.test(each) || LIST_ITEM.test(each) || isRule(each);
      const paragraph = [lines.shift(), ...takeWhile((each) => !starts(each))];
      nodes.push(h("p", { class: "lines" }, inline(paragraph.join("\n"))));
    }
  }
  return nodes;
}
