// "What the app sent": Web API calls, and what was delivered to the app.

import { act, read } from "./api.js";
import { byId, h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { on, state, zone } from "./store.js";
import { parts, shortDay } from "./time.js";

const KEPT = 500;
const shown = { open: false, tab: "calls", words: "" };
const rows = { calls: [], deliveries: [] };
const last = { calls: 0, deliveries: 0 };
let reading = false;
let again = false;

const two = (number) => String(number).padStart(2, "0");

function clockText(at) {
  const epoch = typeof at === "number" ? at : Date.parse(at) / 1000;
  if (!Number.isFinite(epoch)) return "";
  const p = parts(epoch, zone());
  return `${shortDay(epoch, zone()).replace(/^\w+, /, "")} ${two(p.hour)}:${two(p.minute)}:${two(p.second)}`;
}

/** Arguments as an app author thinks of them: JSON inside strings is unfolded. */
function unfold(value) {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(unfold);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unfold(each)]));
  return value;
}

const pretty = (value) => (value === undefined || value === null || value === "" ? "nothing" : JSON.stringify(unfold(value), null, 2));

const jsonPart = (title, value) => h("div", { class: "json-part" }, h("h4", {}, title), h("pre", { tabindex: "0" }, pretty(value)));

function callRow(call) {
  const ok = call.answer?.ok !== false && call.status < 400;
  const outcome = ok ? "ok" : (call.answer?.error ?? String(call.status));
  return { time: clockText(call.at), name: call.method, ok, outcome, details: () => [jsonPart("Arguments", call.args), jsonPart(`Answer${call.status ? ` (${call.status})` : ""}`, call.answer)] };
}

function deliveryRow(item) {
  const attempt = item.attempt > 1 ? ` (attempt ${item.attempt})` : "";
  return {
    time: clockText(item.at), name: `${item.kind}${attempt}`, ok: item.outcome === null || /^2\d\d/.test(item.outcome), outcome: item.outcome ?? "waiting…",
    details: () => [jsonPart("Payload", item.payload), jsonPart("The app's answer", item.answer)],
  };
}

const ROW = { calls: callRow, deliveries: deliveryRow };

function rowNode(kind, item) {
  const row = ROW[kind](item);
  const details = h("div", { class: "call-details", hidden: true });
  const toggle = h(
    "button",
    {
      type: "button", class: "call-row", "aria-expanded": "false", "data-focus": `${kind}/${item.n}`,
      onclick: () => {
        if (!details.childElementCount) details.append(...row.details());
        details.hidden = !details.hidden;
        toggle.setAttribute("aria-expanded", String(!details.hidden));
      },
    },
    icon("right", 14), h("span", { class: "call-time" }, row.time), h("code", { class: "call-name" }, row.name), h("span", { class: `call-outcome ${row.ok ? "ok" : "bad"}` }, row.outcome),
  );
  return h("li", { "data-testid": kind === "calls" ? "call" : "delivery" }, toggle, details);
}

function draw() {
  const drawer = byId("drawer");
  drawer.hidden = !shown.open;
  byId("drawer-toggle").setAttribute("aria-expanded", String(shown.open));
  if (!shown.open) return;
  for (const tab of ["calls", "deliveries"]) {
    byId(`tab-${tab}`).setAttribute("aria-selected", String(shown.tab === tab));
    byId(`tab-${tab}`).tabIndex = shown.tab === tab ? 0 : -1;
  }
  byId("drawer-panel").setAttribute("aria-labelledby", `tab-${shown.tab}`);
  const limits = byId("rate-limits");
  limits.checked = Boolean(state.boot?.rate_limits);
  const words = shown.words.toLowerCase();
  const list = rows[shown.tab].filter((item) => !words || item.searchable.includes(words)).reverse();
  reconcile(byId("drawer-list"), list.map((item) => ({ key: `${shown.tab}-${item.n}`, sign: `${zone()}${JSON.stringify(item.outcome ?? item.status ?? "")}`, make: () => rowNode(shown.tab, item) })));
  const empty = byId("drawer-empty");
  empty.hidden = list.length > 0;
  empty.textContent = words ? "Nothing matches the filter." : shown.tab === "calls" ? "The app has not called the Web API yet." : "Nothing has been delivered to the app yet.";
}

async function readList(kind) {
  const team = state.boot?.team.id;
  const answer = await read(kind, { person: state.me, after: last[kind] });
  if (team !== state.boot?.team.id) return;
  const fresh = answer?.[kind] ?? [];
  for (const item of fresh) item.searchable = JSON.stringify([item.method, item.kind, item.args, item.answer, item.payload, item.outcome]).toLowerCase();
  // a delivery still under way is asked for again, until it has its outcome
  const settled = fresh.filter((item) => item.outcome !== null).map((item) => item.n);
  const waiting = fresh.filter((item) => item.outcome === null).map((item) => item.n - 1);
  last[kind] = Math.max(last[kind], Math.min(Math.max(0, ...settled), ...waiting));
  const known = new Map(rows[kind].map((item) => [item.n, item]));
  for (const item of fresh) known.set(item.n, item);
  rows[kind] = [...known.values()].slice(-KEPT);
}

/** Begin again: the workspace may have started anew and count from one. */
export function forgetCalls() {
  for (const kind of ["calls", "deliveries"]) {
    rows[kind] = [];
    last[kind] = 0;
  }
}

/** Fetch what is new, while the drawer is open. */
export async function readCalls() {
  if (!shown.open) return;
  again = true;
  if (reading) return;
  reading = true;
  while (again) {
    again = false;
    await Promise.all([readList("calls"), readList("deliveries")]);
    draw();
  }
  reading = false;
}

function toggle(open = !shown.open) {
  shown.open = open;
  draw();
  if (open) {
    readCalls();
    byId("drawer-filter").focus();
  } else byId("drawer-toggle").focus();
}

function choose(tab) {
  shown.tab = tab;
  byId("drawer-list").replaceChildren();
  draw();
}

byId("drawer-toggle").prepend(icon("activity"));
byId("drawer-close").append(icon("close"));
byId("drawer-toggle").addEventListener("click", () => toggle());
byId("drawer-close").addEventListener("click", () => toggle(false));
byId("drawer").addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
byId("drawer-filter").addEventListener("input", (event) => ((shown.words = event.target.value), draw()));
byId("drawer-tabs").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  choose(shown.tab === "calls" ? "deliveries" : "calls");
  byId(`tab-${shown.tab}`).focus();
});
for (const tab of ["calls", "deliveries"]) byId(`tab-${tab}`).addEventListener("click", () => choose(tab));
byId("rate-limits").addEventListener("change", async (event) => {
  const wanted = event.target.checked;
  const answer = await act("rate_limits", { on: wanted });
  if (answer.ok) state.boot.rate_limits = wanted;
  draw();
});
on("boot", draw);
