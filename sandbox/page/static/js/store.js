// What the page knows: the workspace as last read, and where the person is. Changes are told to subscribers by topic.

export const state = {
  boot: null, // the answer of /sandbox/boot
  me: null, // user id of the person being played
  route: { place: null, thread: null, focus: null }, // place: conversation id, or app id for its Home
  conversation: null, // {id, conversation, members, messages}
  thread: null, // {channel, ts, messages}
  modals: [],
  home: undefined, // null when the app has put nothing there, undefined until it is read
  moving: null, // {from, to} while the clock advances
  connected: true,
};

const listeners = new Map();

/** Call `listener()` whenever one of `topics` changed. */
export function on(topics, listener) {
  for (const topic of topics.split(" ")) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
}

let isPressed = false;
const untold = new Set(); // topics that changed while it was

/**
 * Tell everyone who draws one of `topics`; a listener named by several is called once. While a button of the pointer
 * is down they hear of it later: what is pressed has to be there still when it is let go, or there is no click.
 */
export function changed(...topics) {
  for (const topic of topics) untold.add(topic);
  if (!isPressed) tell();
}

function tell() {
  const due = new Set([...untold].flatMap((topic) => [...(listeners.get(topic) ?? [])]));
  untold.clear();
  for (const listener of due) listener();
}

function letGo() {
  isPressed = false;
  setTimeout(tell); // after the click
}

addEventListener("pointerdown", () => (isPressed = true), true);
addEventListener("pointerup", letGo, true);
addEventListener("pointercancel", letGo, true);
addEventListener("pointermove", (event) => isPressed && !event.buttons && letGo(), true); // let go where nobody says so: on a scrollbar

// --- the sandbox's clock: the reading at the last boot or clock event, carried on by this browser's own clock

const clock = { now: Date.now() / 1000, readAt: performance.now() };

export function setClock(now) {
  clock.now = now;
  clock.readAt = performance.now();
}

/** The sandbox's time, Unix seconds. */
export const now = () => clock.now + (performance.now() - clock.readAt) / 1000;

// --- people, conversations, apps

export const people = () => state.boot?.people ?? [];
export const apps = () => state.boot?.apps ?? [];
export const conversations = () => state.boot?.conversations ?? [];
export const person = (id) => people().find((one) => one.id === id) ?? null;
export const me = () => person(state.me);
export const zone = () => me()?.tz || "UTC";
export const conversation = (id) => conversations().find((one) => one.id === id) ?? null;
/** Somebody one has no messages with yet, as a conversation that is still to be begun; null for anything else. */
export const stranger = (id) => (id !== state.me && person(id) ? { id, kind: "im", with: id, unread: 0, mentions: 0 } : null);
export const appById = (id) => apps().find((one) => one.id === id) ?? null;
export const appOfBot = (userId) => apps().find((one) => one.bot_user_id === userId) ?? null;
export const appOfConversation = (id) => apps().find((one) => one.im === id) ?? null;

/** How a person or app is called in messages. */
export function personName(id) {
  const one = person(id);
  return one ? one.real_name || one.name : (appOfBot(id)?.name ?? (id === "USLACKBOT" ? "Slackbot" : id));
}

/** What a mention of the person shows after the @. */
export const mentionName = (id) => person(id)?.real_name || appOfBot(id)?.name || person(id)?.name || id;

/** A conversation as the sidebar names it, without its sign. */
export function conversationName(item) {
  if (!item) return "";
  if (item.kind === "app_im") return appOfConversation(item.id)?.name ?? personName(item.with);
  if (item.kind === "im") return item.with === state.me ? `${personName(item.with)} (you)` : personName(item.with);
  return item.name;
}

export const isChannel = (item) => item?.kind === "public" || item?.kind === "private";

/** Every command of every app: [{command, description, usage_hint, app}]. */
const OWN_COMMANDS = [{ command: "/invite", description: "Add somebody, or an app, to this channel", usage_hint: "@name", app: { name: "this workspace" } }];

/** Every command one can type: the apps', and the workspace's own. */
export const commands = () => [...apps().flatMap((app) => (app.commands ?? []).map((one) => ({ ...one, app }))), ...OWN_COMMANDS];
