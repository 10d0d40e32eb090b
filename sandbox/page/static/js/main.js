// Start, addresses and live events. The address says who one is and where: #/person/U…/C…[/thread/TS | /message/TS].

import { act, listen, read } from "./api.js";
import { dialogOpen } from "./dialog.js";
import { forgetCalls, readCalls } from "./drawer.js";
import { byId } from "./dom.js";
import { icon } from "./icons.js";
import { forgetForms, readViews } from "./modal.js";
import { arrive, markRead, readConversation, readThread } from "./places.js";
import { closePopup } from "./popup.js";
import "./sidebar.js";
import "./topbar.js";
import { appById, apps, changed, conversation, conversations, isChannel, on, people, setClock, state, stranger } from "./store.js";
import { toast } from "./toast.js";

const REMEMBERED = "sandbox-place";

// --- reading again, each thing at most once at a time

function coalesced(work) {
  let running = false;
  let due = false;
  return async () => {
    due = true;
    if (running) return;
    running = true;
    while (due) {
      due = false;
      await work();
    }
    running = false;
  };
}

function takeBoot(boot) {
  state.boot = boot;
  state.me = boot.me;
  state.names = JSON.stringify([people().map((one) => [one.id, one.real_name, one.tz]), conversations().map((one) => [one.id, one.name])]);
  setClock(boot.clock.now);
}

const refreshBoot = coalesced(async () => {
  const person = state.me;
  const boot = await read("boot", { person });
  if (!boot || person !== state.me) return;
  takeBoot(boot);
  changed("boot");
  markRead();
});
const refreshConversation = coalesced(readConversation);
const refreshThread = coalesced(readThread);
const refreshViews = coalesced(readViews);
const refreshCalls = coalesced(readCalls);

function refreshAll() {
  refreshBoot();
  refreshConversation();
  refreshThread();
  refreshViews();
  refreshCalls();
}

// --- live events

function onClock(event) {
  if (event.now) setClock(event.now);
  else return refreshBoot();
  changed("clock");
  if (!state.moving) refreshBoot();
  return null;
}

const LIVE = {
  boot: refreshBoot,
  clock: onClock,
  call: refreshCalls,
  delivery: refreshCalls,
  views: refreshViews,
  notice: (event) => toast(event.text, "problem"),
  conversation: (event) => {
    if (!event.channel || event.channel === state.route.place) {
      refreshConversation();
      refreshThread();
    }
    refreshBoot();
  },
};

const onLive = (event) => LIVE[event.type]?.(event);

// --- addresses

function parseHash() {
  const [path] = location.hash.replace(/^#\/?/, "").split("?");
  const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const words = path.split("/").map(decodeURIComponent);
  if (words[0] === "archives") {
    const ts = words[2]?.replace(/^p(\d+)(\d{6})$/, "$1.$2") ?? null;
    return { person: state.me ?? localStorage.getItem(`${REMEMBERED}-person`), team: query.get("team"), place: words[1], thread: query.get("thread_ts"), focus: ts, isPermalink: true };
  }
  if (words[0] !== "person") return { person: localStorage.getItem(`${REMEMBERED}-person`), place: null, thread: null, focus: null };
  const [, person, place = null, kind, ts = null] = words;
  return { person, place: place || null, thread: kind === "thread" ? ts : null, focus: kind === "message" ? ts : null };
}

/** Where a person starts: where they were last, else the first channel they are in with something unread, else #general. */
function startingPlace() {
  const remembered = localStorage.getItem(`${REMEMBERED}-${state.me}`);
  if (remembered && (conversation(remembered) || appById(remembered))) return remembered;
  const mine = conversations().filter((one) => isChannel(one) && one.is_member && !one.is_archived);
  return (mine.find((one) => one.name === "general") ?? mine[0] ?? conversations()[0] ?? apps()[0])?.id ?? null;
}

async function become(person, team, isOver) {
  const boot = await read("boot", { person, team });
  if (isOver()) return false;
  if (!boot) {
    state.connected = false;
    changed("connection");
    setTimeout(follow, 1500);
    return false;
  }
  forgetForms();
  const isElsewhere = boot.team.id !== state.boot?.team.id;
  Object.assign(state, { conversation: null, thread: null, modals: [], home: undefined, route: { place: null, thread: null, focus: null } });
  takeBoot(boot);
  if (isElsewhere) (forgetCalls(), readCalls());
  localStorage.setItem(`${REMEMBERED}-person`, state.me);
  listen(state.me, onLive, () => (forgetCalls(), refreshAll()));
  changed("boot");
  readViews();
  return true;
}

const addressOf = (route) => `#/person/${state.me}/${route.place ?? ""}${route.thread ? `/thread/${route.thread}` : route.focus ? `/message/${route.focus}` : ""}`;

/** Begin the direct messages with a person; their conversation's id, or null. */
async function beginDirect(user, isOver) {
  const answer = await act("open_direct", { user });
  if (isOver() || !answer.channel) return null;
  const boot = await read("boot", { person: state.me });
  if (isOver()) return null;
  if (boot) takeBoot(boot);
  changed("boot");
  return answer.channel;
}

/** A permalink arrives as /?channel=C…&ts=…[&thread_ts=…][&team=T…]. */
function takePermalink() {
  const query = new URLSearchParams(location.search);
  const channel = query.get("channel");
  if (!channel) return;
  const kept = new URLSearchParams([...query].filter(([name]) => name === "thread_ts" || name === "team"));
  const ts = (query.get("ts") ?? "").replace(".", "");
  history.replaceState(null, "", `/#/archives/${channel}/p${ts}${kept.size ? `?${kept}` : ""}`);
}

let turns = 0;

/** Show a place at once, with what is known of it; what stood in the page before takes nothing more. */
function show(route) {
  if (state.route.place !== route.place) Object.assign(state, { conversation: null, thread: null });
  if (state.route.thread !== route.thread) state.thread = null;
  state.route = route;
  closePopup({ restore: false });
  showSide(false);
  changed("route");
}

/** Make the page show what the address says. Whoever goes elsewhere before all of it is there has the last word. */
async function follow() {
  turns += 1;
  const mine = turns;
  const isOver = () => mine !== turns;
  const wanted = parseHash();
  if (!state.boot || (wanted.person && wanted.person !== state.me) || (wanted.team && wanted.team !== state.boot.team.id)) {
    if (!(await become(wanted.person, wanted.team, isOver))) return;
  }
  const before = state.route;
  if (stranger(wanted.place)) {
    show({ place: wanted.place, thread: null, focus: null });
    wanted.place = await beginDirect(wanted.place, isOver);
    if (isOver()) return;
  }
  const known = wanted.place && (conversation(wanted.place) || appById(wanted.place));
  if (wanted.place && !known && wanted.isPermalink) toast("You cannot see that conversation.", "problem");
  const route = known ? { place: wanted.place, thread: wanted.thread, focus: wanted.focus } : { place: startingPlace(), thread: null, focus: null };
  const address = addressOf(route);
  if (location.hash !== address) history.replaceState(null, "", address);
  localStorage.setItem(`${REMEMBERED}-${state.me}`, route.place ?? "");
  show(route);
  await arrive({ isNewPlace: before.place !== route.place || (route.focus && before.focus !== route.focus), isNewThread: Boolean(route.thread) && (before.thread !== route.thread || before.place !== route.place) });
}

addEventListener("hashchange", follow);
document.addEventListener("visibilitychange", markRead);

// --- strips over the conversation

on("connection", () => {
  const strip = byId("connection");
  strip.hidden = state.connected;
  strip.textContent = state.connected ? "" : "The connection to the workspace is lost. Trying again…";
});

on("boot", () => {
  const away = apps().filter((app) => app.connected === false).map((app) => app.name);
  const strip = byId("app-notice");
  strip.hidden = !away.length;
  strip.textContent = away.length ? `${away.join(" and ")} ${away.length > 1 ? "are" : "is"} not connected. Commands, buttons and forms reach the app once it is.` : "";
});

on("refresh", refreshAll);

// --- the sidebar on small screens

function showSide(open) {
  document.body.classList.toggle("side-open", open);
  byId("side-toggle").setAttribute("aria-expanded", String(open));
  byId("side-shade").hidden = !open;
  if (open) byId("sidebar").querySelector("a")?.focus();
}

byId("side-toggle").append(icon("menu"));
byId("clock-icon").append(icon("clock", 18));
byId("side-toggle").addEventListener("click", () => showSide(!document.body.classList.contains("side-open")));
byId("side-shade").addEventListener("click", () => showSide(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !dialogOpen() && document.body.classList.contains("side-open")) {
    showSide(false);
    byId("side-toggle").focus();
  }
});
takePermalink();
document.querySelector(".skip-link").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to where one is
  byId("main").focus();
});

follow();
