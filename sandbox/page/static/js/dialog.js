// Dialogs over the page: the rest is inert, Tab stays inside, Escape closes, and the focus returns where it was.

import { byId, focusable, h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { closePopup } from "./popup.js";

const stack = []; // {node, onEscape, back, backKey}

function settleInert() {
  byId("app").inert = stack.length > 0;
  stack.forEach(({ node }, depth) => (node.inert = depth < stack.length - 1));
}

/** Show `node` (role dialog) on top. `onEscape` is asked to close it; `focus()` names what gets the focus. */
export function showDialog(node, { onEscape, focus } = {}) {
  closePopup({ restore: false });
  const back = document.activeElement;
  const layer = h("div", { class: "dialog-layer" }, node);
  node.setAttribute("aria-modal", "true");
  node.tabIndex = -1;
  byId("dialogs").append(layer);
  stack.push({ node: layer, dialog: node, onEscape, back, backKey: back?.closest?.("[data-focus]")?.dataset.focus });
  settleInert();
  (focus?.() ?? focusable(node)[0] ?? node).focus();
}

/** Take a shown dialog away and give the focus back. */
export function hideDialog(node) {
  const index = stack.findIndex((entry) => entry.dialog === node);
  if (index === -1) return;
  closePopup({ restore: false });
  const [entry] = stack.splice(index, 1);
  entry.node.remove();
  settleInert();
  const fallback = entry.backKey && document.querySelector(`[data-focus="${CSS.escape(entry.backKey)}"]`);
  const target = entry.back?.isConnected && entry.back !== document.body ? entry.back : fallback;
  (target ?? document.querySelector('[data-testid="composer"]'))?.focus?.({ preventScroll: true });
}

export const dialogOpen = () => stack.length > 0;

document.addEventListener("keydown", (event) => {
  const top = stack.at(-1);
  if (!top) return;
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.preventDefault();
    top.onEscape?.();
  }
  if (event.key !== "Tab") return;
  const items = focusable(top.dialog);
  if (!items.length) return event.preventDefault();
  const edge = event.shiftKey ? items[0] : items.at(-1);
  const inside = top.dialog.contains(document.activeElement);
  if (inside && document.activeElement !== edge && document.activeElement !== top.dialog) return;
  if (inside && document.activeElement === top.dialog && !event.shiftKey) return;
  event.preventDefault();
  (event.shiftKey ? items.at(-1) : items[0]).focus();
});

/** A small dialog of our own with a title and buttons; resolves with the pressed button's value, null when dismissed. */
export function ask({ title, content, buttons, testid }) {
  return new Promise((resolve) => {
    const titleId = uniqueId("title");
    const finish = (value) => {
      hideDialog(node);
      resolve(value);
    };
    const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => finish(null) }, icon("close"));
    const actions = buttons.map((button) =>
      h("button", { type: "button", class: `button ${button.style ?? ""}`, "data-testid": button.testid, onclick: () => finish(button.value) }, button.label),
    );
    const node = h(
      "div",
      { role: "dialog", class: "dialog dialog-small", "aria-labelledby": titleId, "data-testid": testid },
      h("div", { class: "dialog-head" }, h("h2", { id: titleId }, title), close),
      h("div", { class: "dialog-body" }, content),
      h("div", { class: "dialog-foot" }, actions),
    );
    showDialog(node, { onEscape: () => finish(null), focus: () => actions.at(-1) });
  });
}
