// The bar over everything: the workspace's name, its clock, who one is, and the way to what the app sent.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { byId, h, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu, openPopup, closePopup } from "./popup.js";
import { appById, changed, conversation, isChannel, me, now, on, people, setClock, state, zone } from "./store.js";
import { epochOf, localStamp, shortDay, timeText, zoneName } from "./time.js";
import { toast } from "./toast.js";

const HOUR = 3600;

// --- the clock

async function move(name, fields, to) {
  if (state.moving) return;
  closePopup();
  unfold(false);
  state.moving = { from: now(), to };
  changed("clock");
  const answer = await act(name, fields);
  state.moving = null;
  if (answer.now) setClock(answer.now);
  changed("clock", "refresh");
  if (answer.ok) toast(`It is now ${shortDay(now(), zone())}, ${timeText(now(), zone())} in ${zoneName(zone())}.`);
}

function chooseTime(anchor) {
  const field = h("input", { type: "datetime-local", class: "field", value: localStamp(now() + HOUR, zone()), min: localStamp(now(), zone()), "aria-label": `Date and time in ${zoneName(zone())}`, "data-testid": "clock-when" });
  const go = () => {
    if (!field.value) return;
    const at = epochOf(field.value.slice(0, 16), zone());
    if (at <= now()) return toast("The clock only goes forward. Choose a later time.", "problem");
    move("advance_to", { at }, at);
  };
  const node = h("form", { class: "clock-picker", role: "dialog", "aria-label": "Move the clock", onsubmit: (event) => (event.preventDefault(), go()) }, h("p", { class: "hint" }, `Time in ${zoneName(zone())}. The clock only goes forward.`), field, h("button", { type: "submit", class: "button primary", "data-testid": "clock-go" }, "Move the clock"));
  openPopup(anchor, node, { align: "end" });
}

function drawClock() {
  if (!state.boot) return;
  const moving = state.moving;
  const { clock } = state.boot;
  const button = (label, testid, title, onclick) => h("button", { type: "button", class: "button small", "data-testid": testid, "data-focus": testid, "aria-disabled": moving ? "true" : null, title, onclick }, label);
  const share = moving ? Math.max(2, Math.min(100, (100 * (now() - moving.from)) / Math.max(1, moving.to - moving.from))) : 0;
  const set = button("Set…", "clock-set", "Choose a date and time", () => state.moving || chooseTime(set));
  set.setAttribute("aria-haspopup", "dialog");
  set.setAttribute("aria-expanded", "false");
  byId("clock").classList.toggle("moving", Boolean(moving));
  byId("clock-toggle").setAttribute("aria-label", `Clock: ${shortDay(now(), zone())}, ${timeText(now(), zone())}`);
  const sign = JSON.stringify([Boolean(moving), zone(), clock.next_morning, clock.next_monday]);
  redraw(byId("clock-buttons"), sign, () => [
    button("+1 h", "clock-hour", "Move the clock one hour on", () => move("advance", { minutes: 60 }, now() + HOUR)),
    button("Next morning", "clock-next-morning", `To ${shortDay(clock.next_morning, zone())}, ${timeText(clock.next_morning, zone())}`, () => move("next_morning", {}, clock.next_morning)),
    button("Next Monday", "clock-next-monday", `To ${shortDay(clock.next_monday, zone())}, ${timeText(clock.next_monday, zone())}`, () => move("next_monday", {}, clock.next_monday)),
    set,
  ]);
  const bar = byId("clock-progress");
  bar.hidden = !moving;
  bar.setAttribute("aria-valuenow", String(Math.round(share)));
  bar.firstElementChild.style.width = `${share}%`;
  tick();
}

function tick() {
  if (!state.boot) return;
  const text = `${shortDay(now(), zone())}, ${timeText(now(), zone())}`;
  if (byId("clock-now").textContent !== text) byId("clock-now").textContent = text;
  const switcher = byId("person-time");
  const local = `${timeText(now(), zone())} · ${zoneName(zone())}`;
  if (switcher && switcher.textContent !== local) switcher.textContent = local;
}

// --- who one is

/** Whether a place is the same for another person: a channel or an app's Home, not somebody's direct messages. */
const isCommon = (place) => isChannel(conversation(place)) || Boolean(appById(place));

function choosePerson(anchor) {
  const entries = people()
    .filter((one) => !one.is_bot)
    .map((one) => ({
      label: one.real_name || one.name, icon: avatar(one.id, one.real_name, 28), checked: one.id === state.me, disabled: one.deleted, testid: `person-${one.name}`,
      detail: one.deleted ? "Deactivated" : `${one.status ? `${one.status.text} · ` : ""}${timeText(now(), one.tz)} · ${zoneName(one.tz)}${one.is_guest ? " · Guest" : ""}`,
      run: () => (location.hash = `#/person/${one.id}/${isCommon(state.route.place) ? state.route.place : ""}`),
    }));
  openMenu(anchor, [{ heading: "Be someone else" }, ...entries, { heading: "Your status" }, ...statuses()], { label: "People", align: "end", testid: "person-menu" });
}

const STATUSES = [
  { emoji: "palm_tree", sign: "🌴", text: "Vacationing", days: 7, label: "Vacationing, for a week" },
  { emoji: "face_with_thermometer", sign: "🤒", text: "Out sick", days: 1, label: "Out sick, today" },
];

/** What one may say of oneself; a status ends at midnight, after so many days. */
function statuses() {
  const set = (fields) => async () => (await act("set_status", fields)).ok && toast(fields.emoji ? "Your status is set." : "Your status is cleared.");
  const entries = STATUSES.map(({ emoji, sign, text, days, label }) => {
    const today = localStamp(now(), zone()).slice(0, 10);
    const end = new Date(Date.parse(today) + days * 24 * HOUR * 1000).toISOString().slice(0, 10);
    return { label: `${sign} ${label}`, testid: `status-${emoji}`, run: set({ emoji, text, until: epochOf(`${end}T00:00`, zone()) }) };
  });
  return me()?.status ? [...entries, { label: "Clear the status", testid: "status-clear", run: set({ emoji: "" }) }] : entries;
}

function drawPerson() {
  const one = me();
  if (!one) return;
  const button = h(
    "button",
    { type: "button", class: "person-switcher", "data-testid": "person-switcher", "data-focus": "person-switcher", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => choosePerson(button) },
    avatar(one.id, one.real_name, 30),
    h("span", { class: "menu-words" }, h("strong", {}, one.real_name || one.name), h("small", { id: "person-time" })),
    icon("down", 14),
  );
  button.setAttribute("aria-label", `You are ${one.real_name || one.name}. Be someone else`);
  redraw(byId("person"), `${state.me}${state.names}`, () => button);
  tick();
}

function chooseTeam(anchor) {
  const entries = state.boot.teams.map((one) => ({
    label: one.name, icon: avatar(one.id, one.name, 24), checked: one.id === state.boot.team.id, testid: `workspace-${one.domain}`,
    run: () => (location.hash = `#/person/${one.person}/`),
  }));
  openMenu(anchor, [{ heading: "Another workspace" }, ...entries, ...access()], { label: "Workspaces", testid: "workspace-menu" });
}

/** What an organisation installed may be used in a workspace once an admin says so. */
function access() {
  const above = state.boot.organisation;
  if (!above?.installed) return [];
  const run = async () => (await act("let_in", { on: !above.granted })).ok && toast(above.granted ? `${above.app} may no longer be used here.` : `${above.app} may be used here now.`);
  return [{ heading: above.name }, { label: `${above.app} may be used here`, checked: above.granted, testid: "let-in", run }];
}

function drawName() {
  const { team, teams } = state.boot;
  const button = h(
    "button",
    { type: "button", class: "workspace-switcher", "data-testid": "workspace-switcher", "data-focus": "workspace-switcher", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": `${team.name}. Go to another workspace`, onclick: () => chooseTeam(button) },
    avatar(team.id, team.name, 26), h("span", { class: "workspace-word" }, team.name), icon("down", 14),
  );
  redraw(byId("workspace-name"), `${team.name}${teams.length}`, () => (teams.length > 1 ? button : [team.name]));
}

on("boot", () => (drawName(), drawPerson(), drawClock()));
on("clock", drawClock);
setInterval(tick, 1000);

/** On small screens the clock's buttons unfold under its reading. */
function unfold(open) {
  byId("clock").classList.toggle("open", open);
  byId("clock-toggle").setAttribute("aria-expanded", String(open));
}

byId("clock-toggle").addEventListener("click", () => unfold(!byId("clock").classList.contains("open")));
document.addEventListener("pointerdown", (event) => byId("clock").contains(event.target) || byId("layer").contains(event.target) || unfold(false));
byId("clock").addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !byId("clock").classList.contains("open")) return;
  unfold(false);
  byId("clock-toggle").focus();
});
