// Slack's message formatting and plain text, drawn as nodes.

import { h } from "./dom.js";
import { emojiFor, withEmoji } from "./emoji.js";
import { conversation, mentionName, now, person, state, zone } from "./store.js";
import { fullText, slackDate } from "./time.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** Slack's three escapes undone. */
export const unescape = (text) => text.replace(/&(?:amp|lt|gt);/g, (found) => ENTITIES[found]);

/** The text of a plain_text object: no formatting, emoji names turned into emoji unless `emoji` is false. */
export function plainText(object) {
  if (typeof object === "string") return withEmoji(unescape(object));
  const text = unescape(String(object?.text ?? ""));
  return object?.emoji === false ? text : withEmoji(text);
}

/** A link this page may follow: only web and mail addresses, others come back null. */
export function safeUrl(url) {
  try {
    const parsed = new URL(url, location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** A link. Permalinks of this workspace stay in the page, others open a new tab. */
export function link(url, label) {
  const href = safeUrl(url);
  if (!href) return h("span", {}, label);
  const parsed = new URL(href);
  const isOwn = ["127.0.0.1", "localhost", location.hostname].includes(parsed.hostname) && parsed.port === location.port;
  const permalink = /^\/archives\/(\w+)(?:\/p(\d+))?/.exec(parsed.pathname) ?? /^#\/archives\/(\w+)(?:\/p(\d+))?/.exec(parsed.hash);
  if ((isOwn || parsed.hostname.startsWith(`${state.boot?.team?.domain}.`)) && permalink) {
    return h("a", { class: "link", href: `#/archives/${permalink[1]}${permalink[2] ? `/p${permalink[2]}` : ""}${parsed.search}` }, label);
  }
  return h("a", { class: "link", href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** A mention of a person or app. */
export function userMention(id, fallback) {
  const known = person(id);
  const mine = id === state.me;
  return h("span", { class: `mention${mine ? " mention-me" : ""}`, "data-user": id }, `@${known ? mentionName(id) : (fallback ?? mentionName(id))}`);
}

/** A channel's name that leads there, or what may be said of a channel the person cannot see. */
export function channelMention(id, fallback) {
  const found = conversation(id);
  if (!found) return h("span", { class: "mention" }, fallback ? `#${fallback}` : "a private channel");
  return h("a", { class: "mention", href: `#/person/${state.me}/${id}` }, `#${found.name}`);
}

export const broadcast = (range) => h("span", { class: "mention mention-me" }, `@${range}`);

/** An instant in the reader's own zone. */
export function dateNode(epoch, format, url, fallback) {
  const shown = slackDate(epoch, format, zone(), now());
  if (shown === null) return h("span", {}, fallback ?? "");
  const node = h("time", { datetime: new Date(epoch * 1000).toISOString(), title: fullText(epoch, zone()) }, shown);
  return url ? link(url, node) : node;
}

/** What stands between < and >. */
function special(body) {
  const bar = body.indexOf("|");
  const target = bar === -1 ? body : body.slice(0, bar);
  const label = bar === -1 ? null : withEmoji(unescape(body.slice(bar + 1)));
  if (target.startsWith("@")) return userMention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) {
    const [, epoch, format, ...rest] = target.split("^");
    return dateNode(Number(epoch), unescape(format ?? ""), rest.length ? unescape(rest.join("^")) : null, label);
  }
  if (target.startsWith("!subteam^")) return h("span", { class: "mention" }, label ?? `@${target.slice(9)}`);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (target.startsWith("!")) return h("span", {}, label ?? `<${target}>`);
  if (/^(https?:|mailto:|tel:)/i.test(target)) {
    const url = unescape(target);
    return link(url, label ?? url.replace(/^(mailto|tel):/i, ""));
  }
  return null;
}

const TAGS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}_]/u;

/** Where the formatting opened at `start` by `mark` ends, or -1. Nothing inside < > or ` ` counts. */
function closing(text, start, mark) {
  for (let at = start + 1; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "\n") return -1;
    if (sign === "<") {
      const end = text.indexOf(">", at);
      if (end === -1) return -1;
      at = end;
    } else if (sign === "`") {
      const end = text.indexOf("`", at + 1);
      if (end !== -1) at = end;
    } else if (sign === mark && at > start + 1 && text[at - 1] !== " " && !WORD.test(text[at + 1] ?? " ")) {
      return at;
    }
  }
  return -1;
}

const URL_AT = /^https?:\/\/[^\s<>|]+/i;
const EMOJI_AT = /^:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/;

function inline(text, verbatim) {
  const nodes = [];
  let run = "";
  const flush = () => {
    if (run) nodes.push(document.createTextNode(unescape(run)));
    run = "";
  };
  const add = (node) => {
    flush();
    nodes.push(node);
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    const before = text[at - 1] ?? " ";
    const rest = text.slice(at);
    if (sign === "<") {
      const end = text.indexOf(">", at);
      const node = end === -1 ? null : special(text.slice(at + 1, end));
      if (node) {
        add(node);
        at = end;
        continue;
      }
    } else if (sign === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1 && !text.slice(at, end).includes("\n")) {
        add(h("code", {}, ...inlineCode(text.slice(at + 1, end))));
        at = end;
        continue;
      }
    } else if (sign in TAGS && !WORD.test(before) && (text[at + 1] ?? " ") !== " ") {
      const end = closing(text, at, sign);
      if (end !== -1) {
        add(h(TAGS[sign], {}, ...inline(text.slice(at + 1, end), verbatim)));
        at = end;
        continue;
      }
    } else if (sign === ":") {
      const found = EMOJI_AT.exec(rest);
      const character = found && emojiFor(found[1]);
      if (character) {
        add(emojiNode(found[1], character));
        at += found[0].length - 1;
        continue;
      }
    } else if (sign === "h" && !verbatim && !WORD.test(before)) {
      const found = URL_AT.exec(rest);
      if (found) {
        const url = found[0].replace(/[.,;:!?)\]'"*_~]+$/, "");
        add(link(unescape(url), unescape(url)));
        at += url.length - 1;
        continue;
      }
    }
    run += sign;
  }
  flush();
  return nodes;
}

/** Inside code only links and mentions keep their labels; nothing is formatted. */
function inlineCode(text) {
  return text.split(/(<[^<>]+>)/).map((part) => (part.startsWith("<") && special(part.slice(1, -1))) || document.createTextNode(unescape(part)));
}

export const emojiNode = (name, character) => h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, character);

/** Lines, with those that begin with > gathered into quotes. */
function paragraphs(text, verbatim) {
  const nodes = [];
  let quoted = null;
  let plain = [];
  const flushPlain = () => {
    if (plain.length) nodes.push(h("span", { class: "lines" }, ...inline(plain.join("\n"), verbatim)));
    plain = [];
  };
  const flushQuote = () => {
    if (quoted) nodes.push(h("blockquote", {}, ...inline(quoted.join("\n"), verbatim)));
    quoted = null;
  };
  for (const line of text.split("\n")) {
    const found = /^(?:&gt;|>) ?(.*)$/s.exec(line);
    if (found) {
      flushPlain();
      (quoted ??= []).push(found[1]);
    } else {
      flushQuote();
      plain.push(line);
    }
  }
  flushPlain();
  flushQuote();
  return nodes;
}

/** A text in Slack's mrkdwn as a list of nodes. */
export function mrkdwn(text, { verbatim = false } = {}) {
  return String(text ?? "")
    .split(/(```[\s\S]+?```)/)
    .flatMap((part) => {
      if (part.length > 6 && part.startsWith("```")) return [h("pre", { tabindex: "0" }, ...inlineCode(part.slice(3, -3).replace(/^\n|\n$/g, "")))];
      return part ? paragraphs(part.replace(/^\n(?=.)/, ""), verbatim) : [];
    });
}

/** A text object (plain_text or mrkdwn) as a list of nodes. */
export function textNodes(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, { verbatim: object.verbatim });
  return [h("span", { class: "lines" }, plainText(object))];
}

/** A text in mrkdwn as a person would have typed it, to be edited or read aloud. */
export function typed(text) {
  const bare = String(text ?? "").replace(/<([^<>]+)>/g, (whole, body) => {
    const [target, label] = body.split("|");
    if (target.startsWith("@")) return `@${person(target.slice(1))?.name ?? label ?? target.slice(1)}`;
    if (target.startsWith("#")) return `#${conversation(target.slice(1))?.name ?? label ?? target.slice(1)}`;
    if (target.startsWith("!date^")) return label ?? "";
    if (target.startsWith("!subteam^")) return label ?? target;
    if (target.startsWith("!")) return `@${target.slice(1)}`;
    return label && label !== target.replace(/^https?:\/\//, "") ? label : target.replace(/^mailto:/, "");
  });
  return unescape(bare);
}
