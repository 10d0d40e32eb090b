// A field to choose one or several of many, with search: role combobox over a floating listbox.

import { byId, h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { place } from "./popup.js";

/**
 * Options: {id, label, detail?, group?, raw}. `load(query)` gives the options for what was typed (or a promise of
 * them, or {message}). `onChange(options)` hears each change.
 */
export function combobox({ load, selected = [], multiple = false, max = 0, clearable = false, placeholder = "", attributes = {}, onChange, delay = 0 }) {
  let chosen = [...selected];
  let shown = [];
  let active = -1;
  let list = null;
  let asked = 0;
  let timer = null;
  const listId = uniqueId("list");

  const input = h("input", {
    type: "text", class: "combo-input", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-autocomplete": "list",
    "aria-expanded": "false", "aria-controls": listId, placeholder, ...attributes,
  });
  const chips = h("span", { class: "chips" });
  const clear = h("button", { type: "button", class: "icon-button combo-clear", "aria-label": "Clear the choice", onclick: () => (choose([]), input.focus()) }, icon("close", 14));
  const root = h("div", { class: `combo${multiple ? " combo-multiple" : ""}` }, multiple ? chips : null, input, clearable && !multiple ? clear : null, icon("down", 16));

  function drawValue() {
    clear.hidden = chosen.length === 0;
    input.placeholder = multiple && chosen.length ? "" : placeholder;
    if (!multiple) {
      input.value = chosen[0]?.label ?? "";
      return;
    }
    const chip = (option) =>
      h("span", { class: "chip" }, option.label,
        h("button", { type: "button", "aria-label": `Remove ${option.label}`, onclick: () => (choose(chosen.filter((one) => one.id !== option.id)), input.focus()) }, icon("close", 12)));
    chips.replaceChildren(...chosen.map(chip));
  }

  function choose(options) {
    chosen = options;
    drawValue();
    onChange(chosen);
    if (list && multiple) drawList(shown);
  }

  function pick(option) {
    const has = chosen.some((one) => one.id === option.id);
    if (!multiple) {
      shut();
      choose([option]);
      return;
    }
    if (!has && max && chosen.length >= max) return;
    input.value = "";
    choose(has ? chosen.filter((one) => one.id !== option.id) : [...chosen, option]);
    search();
  }

  function mark(index) {
    active = index;
    list?.querySelectorAll("[role=option]").forEach((node, at) => {
      node.classList.toggle("active", at === index);
      if (at !== index) return;
      input.setAttribute("aria-activedescendant", node.id);
      node.scrollIntoView({ block: "nearest" });
    });
    if (index < 0) input.removeAttribute("aria-activedescendant");
  }

  function drawList(options, message) {
    shown = options;
    if (!list) return;
    let group = null;
    const nodes = options.flatMap((option, index) => {
      const isChosen = chosen.some((one) => one.id === option.id);
      const isFull = Boolean(multiple && max && chosen.length >= max && !isChosen);
      const node = h(
        "div",
        {
          role: "option", id: `${listId}-${index}`, class: "option", "aria-selected": String(isChosen), "aria-disabled": isFull ? "true" : null,
          onmousedown: (event) => event.preventDefault(), onclick: () => pick(option),
        },
        h("span", { class: "menu-words" }, h("span", {}, option.label), option.detail ? h("small", {}, option.detail) : null),
        isChosen ? icon("check", 16) : null,
      );
      const heading = option.group && option.group !== group ? h("div", { class: "menu-heading", role: "presentation" }, option.group) : null;
      group = option.group;
      return heading ? [heading, node] : [node];
    });
    const note = message ?? (options.length ? null : "Nothing found.");
    list.replaceChildren(...nodes, ...(note ? [h("div", { class: "option-note", role: "presentation" }, note)] : []));
    place(list, root, { matchWidth: true });
    mark(options.length ? Math.max(0, options.findIndex((option) => !multiple && option.id === chosen[0]?.id && !input.dataset.searching)) : -1);
  }

  async function search() {
    const query = input.dataset.searching || multiple ? input.value.trim() : "";
    asked += 1;
    const mine = asked;
    const found = load(query);
    if (found instanceof Promise) drawList([], "Searching…");
    const result = await found;
    if (mine !== asked || !list) return;
    drawList(Array.isArray(result) ? result : [], result.message);
  }

  const follow = () => list && place(list, root, { matchWidth: true });

  function unfold() {
    if (list) return;
    list = h("div", { role: "listbox", id: listId, class: "popup menu listbox", "aria-multiselectable": multiple ? "true" : null, "aria-label": attributes["aria-label"] ?? "Choices" });
    byId("layer").append(list);
    input.setAttribute("aria-expanded", "true");
    addEventListener("scroll", follow, true);
    addEventListener("resize", follow);
    search();
  }

  function shut() {
    if (!list) return;
    list.remove();
    list = null;
    asked += 1;
    delete input.dataset.searching;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    removeEventListener("scroll", follow, true);
    removeEventListener("resize", follow);
  }

  root.addEventListener("mousedown", (event) => {
    if (event.target.closest("button") || event.target === input) return;
    event.preventDefault();
    input.focus();
    unfold();
  });
  input.addEventListener("click", () => {
    unfold();
    if (!multiple) input.select();
  });
  input.addEventListener("input", () => {
    input.dataset.searching = "yes";
    clearTimeout(timer);
    if (!list) return unfold();
    if (!delay) return search();
    asked += 1;
    drawList([], "Searching…"); // what was found for other words is not to be chosen any more
    timer = setTimeout(search, delay);
    return undefined;
  });
  input.addEventListener("blur", () => {
    shut();
    if (!multiple) input.value = chosen[0]?.label ?? "";
    else input.value = "";
  });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      if (!list) unfold();
      else if (shown.length) mark((active + steps[event.key] + shown.length) % shown.length);
    } else if (event.key === "Enter" && list) {
      event.preventDefault();
      if (shown[active]) pick(shown[active]);
    } else if (event.key === "Escape" && list) {
      event.preventDefault();
      event.stopPropagation();
      shut();
      drawValue();
    } else if (event.key === "Backspace" && multiple && !input.value && chosen.length) {
      choose(chosen.slice(0, -1));
    }
  });
  drawValue();
  return { root, input };
}
