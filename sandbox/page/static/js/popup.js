// Things that float over the page beside what opened them: menus, pickers, lists of suggestions.

import { arrowKeys, byId, focusable, h } from "./dom.js";

const GAP = 6;

/** Put `node` beside `anchor`, inside the window; above it when there is more room there. */
export function place(node, anchor, { align = "start", matchWidth = false } = {}) {
  const box = anchor.getBoundingClientRect();
  if (matchWidth) node.style.minWidth = `${box.width}px`;
  const below = innerHeight - box.bottom - GAP * 2;
  const above = box.top - GAP * 2;
  node.style.maxHeight = "";
  const wanted = node.offsetHeight;
  const goesUp = wanted > below && above > below;
  const most = matchWidth ? 440 : 600; // a list of choices may be long, a menu is seen whole
  node.style.maxHeight = `${Math.max(96, Math.min(wanted, goesUp ? above : below, most))}px`;
  const height = Math.min(wanted, node.offsetHeight);
  node.style.top = `${goesUp ? Math.max(GAP, box.top - GAP - height) : box.bottom + GAP}px`;
  const left = align === "end" ? box.right - node.offsetWidth : box.left;
  node.style.left = `${Math.max(GAP, Math.min(left, innerWidth - node.offsetWidth - GAP))}px`;
}

let open = null;

/** Close whatever floats; true when something did. */
export function closePopup({ restore = true } = {}) {
  if (!open) return false;
  const { node, anchor, key, onClose, release } = open;
  const hadFocus = node.contains(document.activeElement) || document.activeElement === document.body;
  open = null;
  release();
  node.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (restore && hadFocus) {
    // the anchor may have been drawn anew meanwhile
    const target = anchor.isConnected ? anchor : key && document.querySelector(`[data-focus="${CSS.escape(key)}"]`);
    target?.focus();
  }
  onClose?.();
  return true;
}

/** Float `node` beside `anchor` until it is closed: by Escape, a press elsewhere, or closePopup(). */
export function openPopup(anchor, node, { align, onClose, focusFirst = true } = {}) {
  const again = open?.anchor === anchor;
  closePopup();
  if (again) return;
  node.classList.add("popup");
  byId("layer").append(node);
  anchor.setAttribute("aria-expanded", "true");
  const move = () => (anchor.isConnected && anchor.getClientRects().length ? place(node, anchor, { align }) : closePopup());
  const press = (event) => {
    if (!node.contains(event.target) && !anchor.contains(event.target)) closePopup({ restore: false });
  };
  const key = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closePopup();
  };
  const leave = (event) => {
    if (event.key === "Tab") {
      const items = focusable(node);
      const edge = event.shiftKey ? items[0] : items.at(-1);
      if (node.getAttribute("role") === "menu" || document.activeElement === edge) closePopup();
    }
  };
  document.addEventListener("pointerdown", press, true);
  document.addEventListener("keydown", key, true);
  node.addEventListener("keydown", leave);
  addEventListener("resize", move);
  const release = () => {
    document.removeEventListener("pointerdown", press, true);
    document.removeEventListener("keydown", key, true);
    removeEventListener("resize", move);
  };
  open = { node, anchor, key: anchor.dataset.focus, onClose, release };
  move();
  if (focusFirst) focusable(node)[0]?.focus({ preventScroll: true });
}

/**
 * A menu beside `anchor`. Entries: {label, detail?, icon?, danger?, checked?, disabled?, testid?, run} or
 * {heading} or {line: true}.
 */
export function openMenu(anchor, entries, { label, align = "start", testid } = {}) {
  const node = h("div", { role: "menu", class: "menu", "aria-label": label, "data-testid": testid });
  for (const entry of entries) {
    if (entry.line) node.append(h("div", { role: "separator", class: "menu-line" }));
    else if (entry.heading) node.append(h("div", { class: "menu-heading", role: "presentation" }, entry.heading));
    else node.append(menuItem(entry));
  }
  const items = () => focusable(node);
  node.addEventListener("keydown", (event) => {
    if (arrowKeys(event, items)) return;
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === " ") return;
    const all = items();
    const after = [...all.slice(all.indexOf(document.activeElement) + 1), ...all];
    after.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  });
  openPopup(anchor, node, { align });
}

function menuItem(entry) {
  const role = entry.checked === undefined ? "menuitem" : "menuitemradio";
  return h(
    "button",
    {
      type: "button", role, class: `menu-item${entry.danger ? " danger" : ""}`, disabled: entry.disabled, "data-testid": entry.testid,
      "aria-checked": entry.checked === undefined ? null : String(entry.checked),
      onclick: () => {
        closePopup();
        entry.run();
      },
    },
    entry.icon ?? null,
    h("span", { class: "menu-words" }, h("span", {}, entry.label), entry.detail ? h("small", {}, entry.detail) : null),
  );
}
