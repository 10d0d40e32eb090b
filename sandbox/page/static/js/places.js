// What the middle of the page shows: a conversation, an app's Home, and a thread beside it.

import { act, read } from "./api.js";
import { avatar } from "./avatar.js";
import { drawBlocks } from "./blocks.js";
import { combobox } from "./combobox.js";
import { Composer } from "./composer.js";
import { ask } from "./dialog.js";
import { byId, h, hidden, redraw, swap } from "./dom.js";
import { Form } from "./form.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { MessageList, isFrom, spoken } from "./messages.js";
import { openMenu } from "./popup.js";
import { readViews } from "./modal.js";
import { appById, appOfConversation, changed, commands, conversation, conversationName, isChannel, now, on, people, person, personName, state, stranger } from "./store.js";
import { timeText, zoneName } from "./time.js";
import { toast } from "./toast.js";

const list = new MessageList("messages");
const threadList = new MessageList("thread-messages");
const composer = new Composer({ testid: "composer", label: "Message", onSent: () => list.toEnd() });
const threadComposer = new Composer({ testid: "thread-composer", label: "Reply", isThread: true, onSent: () => threadList.toEnd() });

let newFrom = null; // ts of the first message not seen when the person came here
let seen = 0; // ts of the newest message already announced

// --- reading

export async function readConversation() {
  const channel = state.route.place;
  const person = state.me;
  if (!conversation(channel)) return;
  const answer = await read("conversation", { person, channel });
  if (channel !== state.route.place || person !== state.me) return;
  const isFirst = state.conversation?.id !== channel || state.conversation.person !== person;
  if (!answer) {
    if (isFirst) state.conversation = { id: channel, person, conversation: conversation(channel), members: [], messages: [], missing: true };
    return changed("conversation");
  }
  state.conversation = { id: channel, person, ...answer };
  const others = answer.messages.filter((message) => !isFrom(message, person) && !message.ephemeral);
  const { unread, last_read: lastRead } = answer.conversation;
  if (isFirst) newFrom = unread ? (others.find((message) => Number(message.ts) > Number(lastRead ?? 0))?.ts ?? null) : null;
  else if (document.hidden && !newFrom) newFrom = others.find((message) => Number(message.ts) > seen)?.ts ?? null;
  announce(answer.messages, isFirst);
  changed("conversation");
  markRead();
}

function announce(messages, isFirst) {
  const fresh = messages.filter((message) => Number(message.ts) > seen && !isFrom(message, state.me));
  seen = Math.max(seen, ...messages.map((message) => Number(message.ts)));
  if (!isFirst && fresh.length) byId("announcer").textContent = fresh.slice(-3).map(spoken).join(". ");
}

export function markRead() {
  const channel = state.route.place;
  if (!document.hidden && state.conversation?.id === channel && conversation(channel)?.unread) act("read", { channel }, { quiet: true });
}

export async function readThread() {
  const { place: channel, thread: ts } = state.route;
  const person = state.me;
  if (!ts) return;
  const answer = await read("thread", { person, channel, ts });
  if (ts !== state.route.thread || channel !== state.route.place || person !== state.me) return;
  state.thread = answer ? { channel, ts, messages: answer.messages ?? [] } : { channel, ts, messages: [], missing: true };
  changed("thread");
}

/** Come to the place of the route: tell the app what was opened, read what is shown. */
export async function arrive({ isNewPlace, isNewThread }) {
  if (isNewThread) threadComposer.text.focus();
  await Promise.all([isNewPlace ? readPlace() : null, isNewThread ? readThread() : null]);
}

async function readPlace() {
  const { place } = state.route;
  newFrom = null;
  seen = 0;
  list.channel = null;
  if (appById(place)) {
    act("open_home", { app: place }, { quiet: true }).then(readViews);
    return readViews();
  }
  if (appOfConversation(place)) act("open_app_messages", { channel: place }, { quiet: true });
  return readConversation();
}

// --- the head of a conversation

function memberLine(id) {
  const one = person(id);
  const about = one && !one.is_bot ? `@${one.name} · ${timeText(now(), one.tz)} in ${zoneName(one.tz)}${one.is_guest ? " · Guest" : ""}${one.deleted ? " · Deactivated" : ""}` : "App";
  return h("li", { class: "member" }, avatar(id, personName(id), 32), h("span", { class: "menu-words" }, h("strong", {}, personName(id)), h("small", {}, about)));
}

async function showMembers() {
  const { place } = state.route;
  if (!state.conversation) await readConversation();
  if (state.conversation?.id !== place) return;
  const { id, conversation: item, members } = state.conversation;
  let chosen = null;
  const missing = () => people().filter((one) => !one.deleted && !members.includes(one.id)).map((one) => ({ id: one.id, label: personName(one.id), detail: one.is_bot ? "App" : `@${one.name}` }));
  const { root } = combobox({
    load: (query) => missing().filter((option) => `${option.label} ${option.detail}`.toLowerCase().includes(query.toLowerCase())),
    placeholder: "Add a person or app", attributes: { "aria-label": "Add a person or app", "data-testid": "add-member" }, onChange: ([option]) => (chosen = option ?? null),
  });
  const answer = await ask({
    title: `Members of ${conversationName(item)}`, testid: "members",
    content: h("div", {}, isChannel(item) && item.is_member ? root : null, h("ul", { class: "members" }, members.map(memberLine))),
    buttons: [{ label: "Close", value: null }, ...(isChannel(item) && item.is_member ? [{ label: "Add", value: "add", style: "primary", testid: "add-member-go" }] : [])],
  });
  if (answer === "add" && chosen) {
    const done = await act("invite", { channel: id, user: chosen.id });
    if (done.ok) toast(`${chosen.label} was added.`);
  }
}

function placeMenu(anchor, item) {
  const copy = async () => {
    const address = `${location.origin}/#/archives/${item.id}`;
    try {
      await navigator.clipboard.writeText(address);
      toast("Link copied.");
    } catch {
      toast(address);
    }
  };
  openMenu(anchor, [
    { label: "Members", icon: icon("people", 18), run: showMembers },
    { label: "Copy link", icon: icon("link", 18), run: copy },
    ...(isChannel(item) && item.is_member && !item.is_archived ? [{ line: true }, { label: "Leave channel", icon: icon("out", 18), danger: true, testid: "leave", run: () => act("leave", { channel: item.id }) }] : []),
  ], { label: "Conversation", align: "end" });
}

function conversationHead(item) {
  const sign = item.is_archived ? "archive" : item.kind === "private" ? "lock" : "hash";
  const other = item.with && person(item.with);
  const about = other && !other.is_bot ? `${timeText(now(), other.tz)} in ${zoneName(other.tz)}` : item.topic;
  const count = state.conversation?.id === item.id ? state.conversation.members?.length : item.num_members;
  const members = isChannel(item)
    ? h("button", { type: "button", class: "button quiet-button", "data-focus": "members", "data-testid": "members-button", "aria-label": `${count ?? ""} members`, onclick: showMembers }, icon("people", 18), count ?? "")
    : null;
  const more = h("button", { type: "button", class: "icon-button", "aria-label": "Conversation menu", "aria-haspopup": "menu", "aria-expanded": "false", "data-focus": "place-menu", onclick: () => placeMenu(more, item) }, icon("more"));
  return [
    h("div", { class: "place-title" },
      h("h1", {}, isChannel(item) ? icon(sign, 20) : avatar(item.with, conversationName(item), 26), item.kind === "private" ? hidden("private channel ") : null, h("span", {}, conversationName(item))),
      about ? h("p", { class: "topic text" }, other ? about : mrkdwn(about)) : null),
    h("span", { class: "grow" }), members, more,
  ];
}

function appHead(app, isHome) {
  const tab = (label, place, current, testid) => h("a", { href: `#/person/${state.me}/${place}`, "aria-current": current ? "page" : null, "data-testid": testid, "data-focus": testid }, label);
  return [
    h("div", { class: "place-title" }, h("h1", {}, avatar(app.bot_user_id, app.name, 26), h("span", {}, app.name), h("span", { class: "app-badge" }, "App")), app.description ? h("p", { class: "topic" }, app.description) : null),
    h("span", { class: "grow" }),
    h("nav", { class: "place-tabs", "aria-label": `${app.name}` }, app.home ? tab("Home", app.id, isHome, "tab-home") : null, app.messages ? tab("Messages", app.im, !isHome, "tab-messages") : null),
  ];
}

function drawHead() {
  const { place } = state.route;
  const app = appById(place) ?? appOfConversation(place);
  const item = conversation(place) ?? stranger(place);
  const count = state.conversation?.id === place ? state.conversation.members?.length : null;
  const sign = JSON.stringify([state.me, state.names, place, item?.topic, item?.is_member, item?.is_archived, item?.num_members, count, item?.with && timeText(now(), "UTC")]);
  redraw(byId("place-head"), sign, () => (app ? appHead(app, app.id === place) : item ? conversationHead(item) : []));
  const name = app?.name ?? conversationName(item);
  document.title = `${isChannel(item) ? "#" : ""}${name} · ${state.boot?.team.name ?? ""}`;
  byId("main").setAttribute("aria-label", name || "Conversation");
}

// --- a conversation

const joinBar = h("div", { class: "join-bar" });
const conversationView = h("div", { class: "conversation-view" }, list.node, list.more, joinBar, composer.node);

function beginning(item) {
  const app = appOfConversation(item.id);
  const words = app
    ? `This is where ${app.name} writes to you, and where you can write to it.`
    : item.kind === "im" ? `The beginning of your messages with ${conversationName(item)}.` : `The beginning of #${item.name}.${item.topic ? "" : ""}`;
  return h("p", { class: "beginning" }, words);
}

/** All but the messages is known at once, and stands there at once: what is typed next is for this conversation. */
function drawConversation() {
  const { place } = state.route;
  const item = conversation(place);
  if (!item && !stranger(place)) return;
  if (byId("place-body").firstChild !== conversationView) byId("place-body").replaceChildren(conversationView);
  conversationView.hidden = !item; // the direct messages are being begun
  if (item) drawMessages(item);
}

function drawMessages(item) {
  const isMember = item.is_member || !isChannel(item);
  const app = appOfConversation(item.id);
  const canWrite = isMember && !item.is_archived && !(app && (app.messages === false || app.messages_read_only));
  composer.node.hidden = !canWrite;
  joinBar.hidden = canWrite;
  if (!canWrite) {
    joinBar.replaceChildren(
      ...(item.is_archived ? [h("p", {}, "This channel is archived. It can be read, not written to.")]
        : app ? [h("p", {}, `${app.name} does not take messages.`)]
        : [h("p", {}, "You are looking at ", h("strong", {}, `#${item.name}`), ". Join it to write."), h("button", { type: "button", class: "button primary", "data-testid": "join", onclick: () => act("join", { channel: item.id }) }, "Join channel")]),
    );
  }
  composer.open(`${state.me}/${item.id}`, { channel: item.id }, `Message ${isChannel(item) ? "#" : ""}${conversationName(item)}`, commands().length ? " or / for commands" : "");
  const label = `Messages in ${isChannel(item) ? "#" : ""}${conversationName(item)}`;
  const isRead = state.conversation?.id === item.id;
  list.node.setAttribute("aria-busy", String(!isRead));
  if (!isRead) list.clear(label);
  else list.draw(item.id, state.conversation.messages, { label, newFrom, before: state.conversation.missing ? h("p", { class: "beginning" }, "This conversation could not be read.") : beginning(item) });
}

// --- an app's Home

const homes = new Map(); // person -> what was typed into the Home
const homeBlocks = h("div", { class: "home-blocks" });
const homeView = h("div", { class: "scroller home", tabindex: "0", role: "region", "aria-label": "Home", "data-testid": "home" }, homeBlocks);
let homeSign = null;

function homeSurface(view) {
  const key = `${state.me}/${state.route.place}`;
  if (!homes.has(key)) homes.set(key, new Form(null));
  const form = homes.get(key);
  const where = { view_id: view.id };
  return {
    form,
    act: (blockId, element, value) => act("action", { where, block_id: blockId, action_id: element.action_id, element_value: value, state: form.state(view.blocks) }),
    query: (blockId, element, value) => act("options", { where, block_id: blockId, action_id: element.action_id, value }, { quiet: true }),
  };
}

function drawHome() {
  const app = appById(state.route.place);
  if (!app) return;
  if (byId("place-body").firstChild !== homeView) {
    byId("place-body").replaceChildren(homeView);
    homeSign = null;
  }
  const view = state.home;
  const sign = JSON.stringify([state.me, state.names, view === undefined, view?.id, view?.hash, view?.blocks, Math.floor(now() / 3600)]);
  if (sign === homeSign) return;
  homeSign = sign;
  swap(homeBlocks, view ? drawBlocks(view.blocks, homeSurface(view)) : view === undefined ? null : h("p", { class: "empty" }, `${app.name} has not put anything here yet.`));
}

// --- a thread

const threadHead = h("header", { class: "panel-head" });
byId("thread").append(threadHead, threadList.node, threadList.more, threadComposer.node);

function closeThread() {
  location.hash = `#/person/${state.me}/${state.route.place}`;
  composer.text.focus();
}

function drawThread() {
  const panel = byId("thread");
  const { thread, place } = state.route;
  panel.hidden = !thread;
  document.body.classList.toggle("with-thread", Boolean(thread));
  if (!thread) return;
  const item = conversation(place);
  redraw(threadHead, `${state.me}${state.names}${place}`, () => [
    h("h2", {}, "Thread", h("small", {}, ` ${isChannel(item) ? "#" : ""}${conversationName(item)}`)), h("span", { class: "grow" }),
    h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", "data-testid": "thread-close", "data-focus": "thread-close", onclick: closeThread }, icon("close")),
  ]);
  threadComposer.node.hidden = Boolean(item && ((isChannel(item) && !item.is_member) || item.is_archived));
  threadComposer.open(`${state.me}/${place}/${thread}`, { channel: place, thread_ts: thread }, "Reply…");
  const label = "Messages in the thread";
  const isRead = state.thread?.ts === thread && state.thread.channel === place;
  threadList.node.setAttribute("aria-busy", String(!isRead));
  if (!isRead) return threadList.clear(label);
  const missing = state.thread.missing || !state.thread.messages.length;
  threadList.draw(place, state.thread.messages, { label, inThread: true, before: missing ? h("p", { class: "beginning" }, "This thread is not there any more.") : null });
}

byId("thread").addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && closeThread());

on("route boot conversation", drawHead);
on("route boot conversation", drawConversation);
on("route home boot", drawHome);
on("thread route boot", drawThread);
