// Building and keeping the page's nodes. Data only ever enters as text or attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function apply(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "text") node.textContent = value;
  else if (name === "value" || name === "checked" || name === "disabled" || name === "indeterminate") node[name] = value;
  else if (name === "style") for (const [key, entry] of Object.entries(value)) node.style.setProperty(key, entry);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

/** An HTML element: `h("button", {class: "x", onclick: f}, "text", otherNode)`. */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) apply(node, name, value);
  append(node, children);
  return node;
}

/** An SVG element, built like `h`. */
export function s(tag, properties = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) apply(node, name, value);
  append(node, children);
  return node;
}

let counter = 0;

/** An id no other node of this page has. */
export function uniqueId(prefix = "x") {
  counter += 1;
  return `${prefix}-${counter}`;
}

export const byId = (id) => document.getElementById(id);

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), select:not([disabled]), [contenteditable="true"], [tabindex]:not([tabindex="-1"])';

/** What the Tab key reaches inside `root`, in order. */
export function focusable(root) {
  return [...root.querySelectorAll(FOCUSABLE)].filter(
    (node) => node.tabIndex >= 0 && node.getClientRects().length > 0 && !node.closest("[inert]"),
  );
}

/** Where the person is inside `root`: what has the focus, its caret and what is scrolled; null when the focus is elsewhere. */
function whereabouts(root) {
  const active = document.activeElement;
  const inside = active && root.contains(active);
  const scrolled = [...root.querySelectorAll("[data-keep-scroll]")].map((node) => [node.dataset.keepScroll, node.scrollTop]);
  if (!inside) return { scrolled };
  const holder = active.closest("[data-focus]");
  let caret = null;
  try {
    caret = active.selectionStart === undefined ? null : [active.selectionStart, active.selectionEnd];
  } catch {
    caret = null; // some input types have no caret to read
  }
  return { scrolled, key: holder?.dataset.focus, caret };
}

function goBack(root, place) {
  for (const [key, top] of place.scrolled) {
    const node = root.querySelector(`[data-keep-scroll="${CSS.escape(key)}"]`);
    if (node) node.scrollTop = top;
  }
  if (!place.key) return;
  const holder = root.querySelector(`[data-focus="${CSS.escape(place.key)}"]`);
  const target = holder?.matches(FOCUSABLE) ? holder : holder && focusable(holder)[0];
  if (!target) return;
  target.focus({ preventScroll: true });
  if (!place.caret) return;
  try {
    target.setSelectionRange(...place.caret);
  } catch {
    // the same input kind without a caret: the focus alone is enough
  }
}

/** Put `children` in place of what `root` holds, keeping focus (by data-focus), caret and scroll (by data-keep-scroll). */
export function swap(root, ...children) {
  const place = whereabouts(root);
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  root.replaceChildren(fresh);
  goBack(root, place);
}

/** Like `swap` with what `make()` gives, but only when `sign` differs from the last time. */
export function redraw(root, sign, make) {
  if (root.dataset.sign === sign) return;
  root.dataset.sign = sign;
  swap(root, make());
}

/**
 * Make `parent` hold one node per item, in order. Items are {key, sign, make}: a node whose key and sign are
 * unchanged is left untouched (so forms, focus and scroll inside it stay), others are made anew.
 */
export function reconcile(parent, items) {
  const place = whereabouts(parent);
  let lost = false;
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const old = known.get(item.key);
    known.delete(item.key);
    let node = old;
    if (!old || old.dataset.sign !== item.sign) {
      node = item.make();
      node.dataset.key = item.key;
      node.dataset.sign = item.sign;
      if (old) {
        lost ||= old.contains(document.activeElement);
        if (cursor === old) cursor = old.nextElementSibling;
        old.replaceWith(node);
        if (node.nextElementSibling === cursor) continue;
      }
    }
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  for (const node of known.values()) {
    lost ||= node.contains(document.activeElement);
    node.remove();
  }
  if (lost) goBack(parent, place);
}

/** Keys of a list, menu or tab row: arrows, Home and End move the focus among `items()`. */
export function arrowKeys(event, items, { horizontal = false } = {}) {
  const steps = horizontal ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 };
  const list = items();
  if (!list.length) return false;
  const here = list.indexOf(document.activeElement);
  let next;
  if (event.key in steps) next = (here + steps[event.key] + list.length) % list.length;
  else if (event.key === "Home") next = 0;
  else if (event.key === "End") next = list.length - 1;
  else return false;
  if (here === -1 && event.key === "ArrowUp") next = list.length - 1;
  event.preventDefault();
  list[next].focus();
  return true;
}

/** Visually hidden words for screen readers. */
export const hidden = (text) => h("span", { class: "sr-only" }, text);
