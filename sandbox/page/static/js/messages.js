// Messages and lists of them.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { drawBlocks, mediaUrl, picture } from "./blocks.js";
import { ask } from "./dialog.js";
import { h, reconcile } from "./dom.js";
import { emojiFor } from "./emoji.js";
import { pickEmoji } from "./emoji_picker.js";
import { Form } from "./form.js";
import { icon } from "./icons.js";
import { link, mrkdwn, plainText, typed } from "./mrkdwn.js";
import { openMenu } from "./popup.js";
import { appOfBot, apps, changed, now, person, personName, state, zone } from "./store.js";
import { dateText, dayLabel, fullText, timeText } from "./time.js";
import { toast } from "./toast.js";

const GROUPED_SECONDS = 300;
const PAGE = 150;

const forms = new Map(); // channel/ts -> what was put into the message's menus and fields
let editing = null; // {key, text}: the message being edited, and what it is to say

const keyOf = (channel, message) => `${channel}/${message.id ?? message.ts}`;

/** Who a message is from: {id, name, isApp, image?}. */
function author(message) {
  const id = message.user ?? message.bot_profile?.user_id ?? message.bot_id ?? "";
  const isApp = Boolean(message.bot_id || message.bot_profile || message.subtype === "bot_message" || person(id)?.is_bot || appOfBot(id));
  const name = message.username ?? (isApp ? (appOfBot(id)?.name ?? message.bot_profile?.name ?? personName(id)) : personName(id));
  const image = message.icons?.image_48 ?? message.icons?.image_64 ?? message.icons?.image_36;
  const emoji = message.icons?.emoji && emojiFor(message.icons.emoji.replaceAll(":", ""));
  return { id: id || name, name, isApp, image, emoji };
}

function portrait(from, size = 36) {
  if (from.image) return picture(mediaUrl(from.image), "", "avatar-image");
  if (from.emoji) return h("span", { class: "avatar avatar-emoji", "aria-hidden": "true" }, from.emoji);
  return avatar(from.id, from.name, size);
}

const SYSTEM = new Set(["channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive", "channel_unarchive", "group_join", "group_leave", "pinned_item", "bot_add", "bot_remove"]);

// --- parts of a message

function surfaceOf(channel, message) {
  const key = keyOf(channel, message);
  if (!forms.has(key)) forms.set(key, new Form(channel));
  const form = forms.get(key);
  const where = { channel, ts: message.ts, ...(message.ephemeral ? { ephemeral_id: message.id } : {}) };
  const all = [...(message.blocks ?? []), ...(message.attachments ?? []).flatMap((each) => each.blocks ?? [])];
  return {
    form,
    act: (blockId, element, value) => act("action", { where, block_id: blockId, action_id: element.action_id, element_value: value, state: form.state(all) }),
    query: (blockId, element, value) => act("options", { where, block_id: blockId, action_id: element.action_id, value }, { quiet: true }),
  };
}

function attachment(each, surface) {
  const field = (one) => h("div", { class: one.short ? "short" : "" }, h("strong", {}, one.title), h("div", { class: "text" }, mrkdwn(one.value)));
  const title = each.title ? h("p", { class: "attachment-title" }, each.title_link ? link(each.title_link, plainText(each.title)) : plainText(each.title)) : null;
  const footer = [each.footer, each.ts ? fullText(Number(each.ts), zone()) : null].filter(Boolean).join(" · ");
  return h(
    "div",
    { class: "attachment" },
    each.pretext ? h("div", { class: "text" }, mrkdwn(each.pretext)) : null,
    h("div", { class: "attachment-main", style: each.color ? { "--strip": COLOURS[each.color] ?? (/^#?[0-9a-f]{3,8}$/i.test(each.color) ? each.color.replace(/^#?/, "#") : "") } : {} },
      each.author_name ? h("p", { class: "quiet" }, each.author_link ? link(each.author_link, each.author_name) : each.author_name) : null,
      title,
      each.blocks ? drawBlocks(each.blocks, surface) : h("div", { class: "text" }, mrkdwn(each.text ?? (title || each.fields || each.image_url ? "" : each.fallback))),
      each.fields?.length ? h("div", { class: "fields" }, each.fields.map(field)) : null,
      each.image_url || each.thumb_url ? picture(mediaUrl(each.image_url ?? each.thumb_url), each.fallback ?? "", each.image_url ? "block-image" : "accessory-image") : null,
      footer ? h("p", { class: "quiet" }, footer) : null),
  );
}

const COLOURS = { good: "#2f8a5b", warning: "#c98a10", danger: "#b3362b" };

const size = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : bytes >= 1024 ? `${Math.round(bytes / 1024)} KB` : `${bytes ?? 0} bytes`);

function fileNode(file) {
  const address = mediaUrl(file.url_private ?? file.permalink ?? `/files/${file.id}`);
  const name = file.title || file.name || file.id;
  const opens = (label, className) => h("a", { class: className, href: address, target: "_blank", rel: "noopener noreferrer" }, label);
  if (file.mimetype?.startsWith("image/")) {
    return h("figure", { class: "file-image" }, h("figcaption", {}, name), opens(picture(address, file.alt_txt || name, "block-image"), ""));
  }
  return opens([icon("file", 22), h("span", { class: "menu-words" }, h("strong", {}, name), h("small", {}, `${(file.pretty_type ?? file.filetype ?? "file").toUpperCase()} · ${size(file.size)}`))], "file-card");
}

function reactions(channel, message) {
  if (!message.reactions?.length) return null;
  const one = (reaction) => {
    const mine = reaction.users?.includes(state.me);
    const names = (reaction.users ?? []).map((id) => (id === state.me ? "you" : personName(id))).join(", ");
    return h(
      "button",
      {
        type: "button", class: "reaction", "aria-pressed": String(Boolean(mine)), title: `${names} reacted with :${reaction.name}:`, "data-focus": `${keyOf(channel, message)}/reaction/${reaction.name}`,
        "aria-label": `${reaction.name.replaceAll("_", " ")}: ${reaction.count}, ${names}`, onclick: () => act("react", { channel, ts: message.ts, name: reaction.name }),
      },
      h("span", { "aria-hidden": "true" }, emojiFor(reaction.name) ?? `:${reaction.name}:`), h("span", { "aria-hidden": "true" }, reaction.count ?? reaction.users?.length ?? 0),
    );
  };
  return h("div", { class: "reactions", role: "group", "aria-label": "Reactions" }, message.reactions.map(one));
}

function threadLine(channel, message) {
  if (!message.reply_count) return null;
  const last = message.latest_reply ? `Last reply ${dayLabel(Number(message.latest_reply), zone(), now()).replace(/^(T|Y)/, (sign) => sign.toLowerCase())} at ${timeText(Number(message.latest_reply), zone())}` : "";
  return h(
    "a",
    { class: "thread-line", href: `#/person/${state.me}/${channel}/thread/${message.ts}`, "data-testid": "open-thread" },
    (message.reply_users ?? []).slice(0, 4).map((id) => avatar(id, personName(id), 20)),
    h("strong", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`), h("span", { class: "quiet" }, last),
  );
}

function editBox(channel, message) {
  const mine = editing;
  const finish = () => {
    if (editing === mine) editing = null; // else another message is being edited by now
    changed("conversation", "thread");
  };
  const save = async () => {
    const text = area.value.trim();
    if (!text) return toast("An empty message cannot be saved. Delete it instead.");
    const answer = await act("edit", { channel, ts: message.ts, text });
    if (answer.ok) finish();
  };
  const area = h("textarea", {
    class: "field", rows: 3, "aria-label": "Edit message", "data-focus": `${keyOf(channel, message)}/edit`, "data-testid": "edit-text", value: mine.text,
    oninput: () => (mine.text = area.value),
    onkeydown: (event) => {
      if (event.key === "Escape") (event.preventDefault(), finish());
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), save());
    },
  });
  requestAnimationFrame(() => (area.focus(), area.setSelectionRange(area.value.length, area.value.length)));
  return h("div", { class: "edit-box" }, area,
    h("div", { class: "actions" }, h("button", { type: "button", class: "button small", onclick: finish }, "Cancel"), h("button", { type: "button", class: "button small primary", "data-testid": "edit-save", onclick: save }, "Save")));
}

const edited = () => h("small", { class: "edited" }, " (edited)");

/** Blocks to be drawn. What a person typed carries a rich_text copy of its text, but the text says how it was meant. */
function hasBlocks(message) {
  const isTyped = !message.bot_id && message.blocks?.length === 1 && message.blocks[0].type === "rich_text" && message.text;
  return Boolean(message.blocks?.length && !isTyped);
}

function body(channel, message) {
  if (editing?.key === keyOf(channel, message)) return editBox(channel, message);
  const surface = surfaceOf(channel, message);
  const mark = message.edited && !hasBlocks(message) ? edited() : null;
  const text = hasBlocks(message)
    ? h("div", { class: "blocks" }, drawBlocks(message.blocks, surface))
    : message.text ? h("div", { class: "text" }, mrkdwn(message.text), mark) : mark;
  return [text, (message.attachments ?? []).map((each) => attachment(each, surface)), message.files?.length ? h("div", { class: "files" }, message.files.map(fileNode)) : null];
}

// --- what can be done with a message

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast(text); // no clipboard for this page: show it to be copied by hand
  }
}

const permalinkOf = (channel, message) => `${location.origin}/#/archives/${channel}/p${message.ts.replace(".", "")}${message.thread_ts && message.thread_ts !== message.ts ? `?thread_ts=${message.thread_ts}` : ""}`;

async function remove(channel, message) {
  const sure = await ask({
    title: "Delete message", content: h("p", {}, "It is gone for everyone, and cannot be brought back."), testid: "confirm",
    buttons: [{ label: "Cancel", value: false, testid: "confirm-deny" }, { label: "Delete", value: true, style: "danger", testid: "confirm-yes" }],
  });
  if (sure) act("delete", { channel, ts: message.ts });
}

function menuEntries(channel, message, { inThread }, anchor) {
  const mine = message.user === state.me && !message.bot_id;
  const root = message.thread_ts ?? message.ts;
  const shortcuts = apps().flatMap((app) => (app.message_shortcuts ?? []).map((each) => ({
    label: each.name, detail: each.description || app.name, icon: avatar(app.bot_user_id, app.name, 20), testid: `message-shortcut-${each.callback_id}`,
    run: () => act("message_shortcut", { channel, ts: message.ts, callback_id: each.callback_id }),
  })));
  return [
    { label: "Add reaction", icon: icon("smile", 18), testid: "menu-react", run: () => pickEmoji(anchor, (name) => act("react", { channel, ts: message.ts, name })) },
    ...(inThread ? [] : [{ label: "Reply in thread", icon: icon("reply", 18), testid: "menu-reply", run: () => (location.hash = `#/person/${state.me}/${channel}/thread/${root}`) }]),
    { label: "Copy link", icon: icon("link", 18), testid: "menu-copy-link", run: () => copy(permalinkOf(channel, message), "Link copied.") },
    ...(mine ? [
      { label: "Edit message", icon: icon("pencil", 18), testid: "menu-edit", run: () => ((editing = { key: keyOf(channel, message), text: typed(message.text) }), changed("conversation", "thread")) },
      { label: "Delete message", icon: icon("trash", 18), danger: true, testid: "menu-delete", run: () => remove(channel, message) },
    ] : []),
    ...(shortcuts.length ? [{ line: true }, { heading: "Message shortcuts" }, ...shortcuts] : []),
  ];
}

function tools(channel, message, place) {
  const key = keyOf(channel, message);
  const button = (name, label, testid, onclick, more = {}) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "data-testid": testid, "data-focus": `${key}/${testid}`, onclick, ...more }, icon(name, 18));
  const react = button("smile", "Add reaction", "react", () => pickEmoji(react, (name) => act("react", { channel, ts: message.ts, name })), { "aria-haspopup": "dialog", "aria-expanded": "false" });
  const more = button("more", "More actions", "message-menu-button", () => openMenu(more, menuEntries(channel, message, place, more), { label: "Message actions", align: "end", testid: "message-menu" }), { "aria-haspopup": "menu", "aria-expanded": "false" });
  const reply = place.inThread ? null : button("reply", "Reply in thread", "reply", () => (location.hash = `#/person/${state.me}/${channel}/thread/${message.thread_ts ?? message.ts}`));
  return h("div", { class: "message-tools", role: "group", "aria-label": "Message actions" }, react, reply, more);
}

// --- one message

function messageNode(channel, message, place) {
  const from = author(message);
  const ts = Number(message.ts);
  const time = h("time", { class: "message-time", datetime: new Date(ts * 1000).toISOString(), title: fullText(ts, zone()) }, timeText(ts, zone()));
  if (SYSTEM.has(message.subtype)) {
    return h("div", { role: "listitem", class: "message system", "data-testid": "message", "data-ts": message.ts }, h("div", { class: "message-side" }, avatar(from.id, from.name, 20)), h("div", { class: "message-main text" }, h("strong", {}, from.name), " ", mrkdwn(message.text.replace(/^<@\w+(\|[^>]*)?>\s*/, "")), " ", time));
  }
  const head = place.compact ? h("div", { class: "sr-only" }, from.name, ", ", timeText(ts, zone())) : h("div", { class: "message-head" }, h("strong", { class: "author" }, from.name), from.isApp ? h("span", { class: "app-badge" }, "App") : null, time, message.edited && hasBlocks(message) ? edited() : null);
  const isEphemeral = Boolean(message.ephemeral);
  const only = isEphemeral
    ? h("div", { class: "only-you" }, icon("eye", 15), h("span", {}, "Only visible to you"),
        h("button", { type: "button", class: "text-button", "data-testid": "dismiss", "data-focus": `${keyOf(channel, message)}/dismiss`, onclick: () => act("dismiss", { channel, id: message.id ?? message.ts }) }, "Dismiss"))
    : null;
  const broadcast = message.subtype === "thread_broadcast" && !place.inThread ? h("a", { class: "quiet", href: `#/person/${state.me}/${channel}/thread/${message.thread_ts}` }, "replied to a thread") : null;
  const isFocus = state.route.focus === message.ts;
  return h(
    "div",
    {
      role: "listitem", class: `message${place.compact ? " compact" : ""}${isEphemeral ? " ephemeral" : ""}${isFocus ? " pointed" : ""}`, tabindex: "-1", "data-message": "",
      "data-testid": isEphemeral ? "ephemeral" : "message", "data-ts": message.ts, "data-focus": keyOf(channel, message),
    },
    h("div", { class: "message-side" }, place.compact ? time.cloneNode(true) : portrait(from)),
    h("div", { class: "message-main" }, only, head, broadcast, body(channel, message), reactions(channel, message), place.inThread ? null : threadLine(channel, message)),
    isEphemeral ? null : tools(channel, message, place),
  );
}

// --- a list of messages

const dayNode = (ts, label) => h("div", { role: "listitem", class: "day", "data-testid": "day" }, h("span", {}, label));
const newNode = () => h("div", { role: "listitem", class: "new-line" }, h("span", {}, "New"));

const isGrouped = (message, before) =>
  before && !SYSTEM.has(message.subtype) && !SYSTEM.has(before.subtype) && author(message).name === author(before).name && Boolean(message.ephemeral) === Boolean(before.ephemeral) && !message.ephemeral &&
  Number(message.ts) - Number(before.ts) < GROUPED_SECONDS && message.subtype !== "thread_broadcast";

/** What besides the message itself its drawing depends on. */
const setting = () => [state.me, zone(), dateText(now(), zone()), state.names].join();

/** The items of a list as `reconcile` takes them. */
function listItems(channel, messages, { inThread = false, newFrom = null } = {}) {
  const items = [];
  const around = setting();
  let before = null;
  let day = null;
  for (const message of messages) {
    const ts = Number(message.ts);
    const thisDay = dateText(ts, zone());
    if (thisDay !== day) {
      const label = dayLabel(ts, zone(), now());
      items.push({ key: `day-${thisDay}`, sign: label, make: () => dayNode(ts, label) });
      before = null;
    }
    day = thisDay;
    if (newFrom === message.ts) {
      items.push({ key: "new", sign: "new", make: newNode });
      before = null;
    }
    const compact = Boolean(isGrouped(message, before));
    const key = keyOf(channel, message);
    const sign = JSON.stringify([message, compact, around, editing?.key === key, state.route.focus === message.ts]);
    items.push({ key, sign, make: () => messageNode(channel, message, { inThread, compact }) });
    before = message;
  }
  return items;
}

/** A scrolling list that stays at its end while the person is there. */
export class MessageList {
  constructor(testid) {
    this.list = h("div", { role: "list", class: "message-list" });
    this.before = h("div", { class: "list-before" });
    this.node = h("div", { class: "scroller", tabindex: "0", "data-testid": testid }, this.before, this.list);
    this.more = h("button", { type: "button", class: "button more-below", hidden: true, onclick: () => this.toEnd() }, icon("down", 16), "New messages");
    this.channel = null;
    this.shown = PAGE;
    this.node.addEventListener("scroll", () => this.atEnd() && (this.more.hidden = true), { passive: true });
    this.node.addEventListener("keydown", (event) => this.keys(event));
    // pictures and fields that arrive late must not push the end out of sight
    this.stuck = true;
    this.node.addEventListener("scroll", () => (this.stuck = this.atEnd()), { passive: true });
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.list);
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.node);
  }

  atEnd() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 48;
  }

  toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
    this.more.hidden = true;
  }

  /** Arrow keys walk from message to message once one of them has the focus, or the list itself. */
  keys(event) {
    const active = document.activeElement;
    if (active !== this.node && !active.hasAttribute("data-message")) return;
    if (!["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    const all = [...this.list.querySelectorAll("[data-message]")];
    const here = all.indexOf(active);
    const next = { ArrowUp: here === -1 ? all.length - 1 : here - 1, ArrowDown: here === -1 ? 0 : here + 1, Home: 0, End: all.length - 1 }[event.key];
    if (!all[next]) return;
    event.preventDefault();
    all[next].focus();
  }

  /** Show nothing: what is to stand here is not read yet. */
  clear(label) {
    this.channel = null;
    this.node.setAttribute("aria-label", label);
    this.before.replaceChildren();
    this.list.replaceChildren();
    this.more.hidden = true;
  }

  draw(channel, messages, { label, before = null, newFrom = null, inThread = false }) {
    const id = `${state.me}/${channel}`;
    const isOther = this.channel !== id;
    const wasAtEnd = isOther || this.stuck || this.atEnd();
    const last = this.list.lastElementChild?.dataset.key;
    if (isOther) {
      this.shown = PAGE;
      this.list.replaceChildren();
    }
    this.channel = id;
    const hiddenCount = Math.max(0, messages.length - this.shown);
    const earlier = hiddenCount
      ? h("button", { type: "button", class: "button small", onclick: () => ((this.shown += PAGE), this.draw(channel, messages, { label, before, newFrom, inThread })) }, `Show ${Math.min(PAGE, hiddenCount)} earlier messages`)
      : before;
    this.before.replaceChildren(...(earlier ? [earlier] : []));
    this.node.setAttribute("aria-label", label);
    reconcile(this.list, listItems(channel, messages.slice(hiddenCount), { newFrom, inThread }));
    if (isOther) this.arrive();
    else if (wasAtEnd) this.toEnd();
    else if (this.list.lastElementChild?.dataset.key !== last) this.more.hidden = false;
    return isOther;
  }

  /** Where a list opens: at the message the address names, at the first new one, else at its end. */
  arrive() {
    const pointed = this.list.querySelector(".pointed");
    const fresh = this.list.querySelector(".new-line");
    this.toEnd();
    const target = pointed ?? fresh;
    if (!target) return;
    target.scrollIntoView({ block: "center" });
    this.stuck = this.atEnd();
    if (pointed) pointed.focus({ preventScroll: true });
  }
}

/** One line of a message's words, to be read aloud. */
export const spoken = (message) => `${author(message).name}: ${typed(message.text ?? "").slice(0, 200)}`;
export const isFrom = (message, id) => message.user === id && !message.bot_id;
