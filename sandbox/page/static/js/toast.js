// Short notices in a polite live region.

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = { problem: 12000, info: 5000 };
const recent = new Map();

/** Say `text` to the person: kind "info" or "problem". The same words within three seconds are said once. */
export function toast(text, kind = "info") {
  const last = recent.get(text) ?? -Infinity;
  if (performance.now() - last < 3000) return;
  recent.set(text, performance.now());
  const node = h(
    "div",
    { class: `toast toast-${kind}`, "data-testid": "notice" },
    icon(kind === "problem" ? "warning" : "info", 18),
    h("p", {}, text),
    h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss notice", onclick: () => node.remove() }, icon("close", 16)),
  );
  const region = byId("toasts");
  region.append(node);
  while (region.children.length > 4) region.firstElementChild.remove();
  let timer = setTimeout(() => node.remove(), SHOWN_MS[kind]);
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("pointerleave", () => (timer = setTimeout(() => node.remove(), 3000)));
}

/** These words have been said elsewhere: take them away here and do not repeat them for a moment. */
export function hush(text) {
  recent.set(text, performance.now());
  for (const node of byId("toasts").children) if (node.querySelector("p").textContent === text) node.remove();
}
