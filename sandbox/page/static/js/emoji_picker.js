// A small board of emoji to react with or to put into a text.

import { h } from "./dom.js";
import { emojiFor, QUICK, searchEmoji } from "./emoji.js";
import { closePopup, openPopup } from "./popup.js";

/** Open the board beside `anchor`; `onPick(name)` hears the short name chosen. */
export function pickEmoji(anchor, onPick) {
  const grid = h("div", { class: "emoji-grid", role: "group", "aria-label": "Emoji" });
  if (!emojiFor("tada")) grid.classList.add("by-name");
  const button = (name) =>
    h("button", { type: "button", class: "emoji-button", "aria-label": name.replaceAll("_", " "), title: `:${name}:`, "data-emoji": name, onclick: () => (closePopup(), onPick(name)) }, emojiFor(name) ?? `:${name}:`);
  const draw = () => {
    const words = search.value.trim();
    const names = words ? searchEmoji(words) : [...new Set([...QUICK, ...searchEmoji("")])];
    grid.replaceChildren(...(names.length ? names.map(button) : [h("p", { class: "option-note" }, "No emoji of that name.")]));
  };
  const search = h("input", {
    type: "search", class: "field", placeholder: "Search emoji", "aria-label": "Search emoji", oninput: draw,
    onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), grid.querySelector("button")?.click()),
  });
  grid.addEventListener("keydown", (event) => {
    const buttons = [...grid.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement);
    const across = Math.max(1, Math.floor(grid.clientWidth / (buttons[0]?.offsetWidth || 36)));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    if (!step) return;
    event.preventDefault();
    (buttons[here + step] ?? (step < 0 ? search : buttons.at(-1))).focus();
  });
  search.addEventListener("keydown", (event) => event.key === "ArrowDown" && (event.preventDefault(), grid.querySelector("button")?.focus()));
  draw();
  openPopup(anchor, h("div", { class: "emoji-picker", role: "dialog", "aria-label": "Choose an emoji", "data-testid": "emoji-picker" }, search, grid), { align: "end" });
}
