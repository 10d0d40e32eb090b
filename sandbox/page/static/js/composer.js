// Where messages and commands are typed, with suggestions for commands, people, channels and emoji.

import { act, upload } from "./api.js";
import { avatar } from "./avatar.js";
import { h, uniqueId } from "./dom.js";
import { emojiFor, searchEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { openMenu } from "./popup.js";
import { apps, commands, conversations, isChannel, people, personName, state } from "./store.js";

const MOST = 8;

const startsEarly = (query, ...names) => {
  const wanted = query.toLowerCase();
  return names.filter(Boolean).some((name) => name.toLowerCase().split(/[\s_-]/).some((word) => word.startsWith(wanted)) || name.toLowerCase().startsWith(wanted));
};

const commandSuggestions = (query) =>
  commands()
    .filter((one) => one.command.startsWith(`/${query}`.toLowerCase()))
    .map((one) => ({ insert: one.command, label: one.command, hint: one.usage_hint, detail: one.description, picture: avatar(one.app.bot_user_id, one.app.name, 24) }));

const WIDE = [["channel", "Everyone in this channel"], ["here", "Everyone here who is active"], ["everyone", "Everyone in the workspace"]];

const peopleSuggestions = (query) => [
  ...people()
    .filter((one) => !one.deleted && startsEarly(query, one.name, one.real_name))
    .map((one) => ({ insert: `@${one.name}`, label: personName(one.id), detail: `@${one.name}${one.id === state.me ? " (you)" : ""}`, picture: avatar(one.id, one.real_name, 24) })),
  ...WIDE.filter(([name]) => query && name.startsWith(query.toLowerCase())).map(([name, detail]) => ({ insert: `@${name}`, label: `@${name}`, detail })),
];

const channelSuggestions = (query) =>
  conversations().filter((one) => isChannel(one) && !one.is_archived && startsEarly(query, one.name)).map((one) => ({ insert: `#${one.name}`, label: `#${one.name}`, detail: one.topic }));

const emojiSuggestions = (query) => searchEmoji(query, MOST).map((name) => ({ insert: `:${name}:`, label: `:${name}:`, picture: emojiFor(name) && h("span", { class: "emoji" }, emojiFor(name)) }));

/** What is being typed at the caret: which suggestions, for which words, from where. */
const TRIGGERS = [
  { pattern: /^\/(\S*)$/, start: 0, find: commandSuggestions, mainOnly: true },
  { pattern: /(?:^|[\s(])@([\p{L}\p{N}._-]*)$/u, find: peopleSuggestions },
  { pattern: /(?:^|[\s(])#([\p{L}\p{N}_-]*)$/u, find: channelSuggestions },
  { pattern: /(?:^|\s):([a-z0-9_+-]{2,})$/, find: emojiSuggestions },
];

const drafts = new Map(); // place -> {text, files}

/** A composer. It writes to the place whose name it shows, which `open` says. */
export class Composer {
  constructor({ testid, label, isThread = false, onSent = () => {} }) {
    this.isThread = isThread;
    this.onSent = onSent;
    this.place = null;
    this.to = null; // {channel, thread_ts?}
    this.files = [];
    this.suggested = [];
    this.active = 0;
    const listId = uniqueId("suggestions");
    this.text = h("textarea", {
      rows: 1, class: "composer-text", "data-testid": testid, "data-focus": testid, "aria-label": label, "aria-autocomplete": "list", "aria-controls": listId, "aria-haspopup": "listbox",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onclick: () => this.suggest(), onblur: () => this.hide(),
      onpaste: (event) => event.clipboardData?.files.length && (event.preventDefault(), this.attach([...event.clipboardData.files])),
    });
    this.list = h("div", { role: "listbox", id: listId, class: "suggestions menu", hidden: true, "aria-label": "Suggestions", "data-testid": isThread ? "thread-suggestions" : "suggestions" });
    this.hint = h("p", { class: "usage-hint", hidden: true, "data-testid": isThread ? null : "usage-hint" });
    this.note = h("p", { class: "composer-note", role: "status", hidden: true, "data-testid": isThread ? "thread-note" : "composer-note" });
    this.chips = h("ul", { class: "file-names" });
    this.picker = h("input", { type: "file", multiple: true, class: "sr-only", tabindex: "-1", "aria-hidden": "true", "data-testid": isThread ? "thread-files" : "composer-files", onchange: () => (this.attach([...this.picker.files]), (this.picker.value = "")) });
    this.bolt = h("button", { type: "button", class: "icon-button", "aria-label": "Shortcuts", title: "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false", "data-testid": "shortcut-menu", onclick: () => this.shortcuts() }, icon("bolt"));
    const clip = h("button", { type: "button", class: "icon-button", "aria-label": "Attach a file", title: "Attach a file", onclick: () => this.picker.click() }, icon("clip"));
    this.sendButton = h("button", { type: "submit", class: "icon-button send", "aria-label": "Send", title: "Send", "data-testid": isThread ? "thread-send" : "send" }, icon("send"));
    this.node = h(
      "form",
      { class: "composer", onsubmit: (event) => (event.preventDefault(), this.send()), ondragover: (event) => event.preventDefault(), ondrop: (event) => (event.preventDefault(), this.attach([...event.dataTransfer.files])) },
      this.list, this.note,
      h("div", { class: "composer-box" }, this.chips, this.text, h("div", { class: "composer-tools" }, isThread ? null : this.bolt, clip, this.picker, h("span", { class: "grow" }), this.sendButton)),
      this.hint,
    );
    this.refresh();
    addEventListener("resize", () => this.refresh()); // what stands in it takes more or fewer lines now
  }

  /** Show the composer of `place` (its draft comes back), called `label`; `more` is added to what stands in it while empty. */
  open(place, to, label, more = "") {
    this.text.placeholder = label + more;
    this.text.setAttribute("aria-label", label);
    if (place === this.place) return;
    this.keep();
    this.place = place;
    this.to = to;
    const draft = drafts.get(place) ?? { text: "", files: [] };
    this.text.value = draft.text;
    this.files = draft.files;
    this.say("");
    this.hide();
    this.refresh();
  }

  keep() {
    if (this.place) drafts.set(this.place, { text: this.text.value, files: this.files });
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }

  refresh() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 220)}px`;
    this.sendButton.disabled = !this.text.value.trim() && !this.files.length;
    this.chips.replaceChildren(
      ...this.files.map((file) => h("li", { class: "chip" }, file.name, h("button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => ((this.files = this.files.filter((one) => one !== file)), this.refresh()) }, icon("close", 12)))),
    );
    const word = /^(\/\S+)\s/.exec(this.text.value)?.[1];
    const command = !this.isThread && word && commands().find((one) => one.command === word.toLowerCase());
    this.hint.hidden = !command;
    this.hint.textContent = command ? `${command.command} ${command.usage_hint ?? ""}${command.description ? ` — ${command.description}` : ""}` : "";
  }

  typed() {
    this.say("");
    this.keep();
    this.refresh();
    this.suggest();
  }

  // --- suggestions

  suggest() {
    const before = this.text.value.slice(0, this.text.selectionStart);
    for (const trigger of TRIGGERS) {
      if (trigger.mainOnly && this.isThread) continue;
      const found = trigger.pattern.exec(before);
      if (!found) continue;
      const from = before.length - found[1].length - 1;
      const options = trigger.find(found[1]).slice(0, trigger.mainOnly ? 50 : MOST);
      const word = before.slice(from);
      if (!options.length || (options.length === 1 && options[0].insert === word && !trigger.mainOnly)) break;
      return this.show(options, from);
    }
    return this.hide();
  }

  show(options, from) {
    const same = this.suggested.map((one) => one.insert).join() === options.map((one) => one.insert).join();
    this.from = from;
    this.suggested = options;
    if (!same) this.active = 0;
    const node = (option, index) =>
      h("div", { role: "option", id: `${this.list.id}-${index}`, class: "option", "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => this.accept(index) },
        option.picture ?? null, h("span", { class: "menu-words" }, h("span", {}, h("strong", {}, option.label), option.hint ? h("span", { class: "option-hint" }, ` ${option.hint}`) : null), option.detail ? h("small", {}, option.detail) : null));
    this.list.replaceChildren(...options.map(node));
    this.list.hidden = false;
    this.mark(this.active);
  }

  mark(index) {
    this.active = index;
    [...this.list.children].forEach((node, at) => {
      node.classList.toggle("active", at === index);
      node.setAttribute("aria-selected", String(at === index));
      if (at === index) node.scrollIntoView({ block: "nearest" });
    });
    this.text.setAttribute("aria-activedescendant", `${this.list.id}-${index}`);
  }

  hide() {
    this.list.hidden = true;
    this.suggested = [];
    this.text.removeAttribute("aria-activedescendant");
  }

  accept(index) {
    const { insert } = this.suggested[index];
    const caret = this.text.selectionStart;
    const after = this.text.value.slice(caret);
    const space = after.startsWith(" ") ? "" : " ";
    this.text.value = this.text.value.slice(0, this.from) + insert + space + after;
    const at = this.from + insert.length + 1;
    this.text.focus();
    this.text.setSelectionRange(at, at);
    this.hide();
    this.keep();
    this.refresh();
  }

  /** Whether what stands before the caret already is the suggestion offered first. */
  isComplete() {
    return this.text.value.slice(this.from, this.text.selectionStart).toLowerCase() === this.suggested[this.active]?.insert.toLowerCase();
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.list.hidden;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (open && event.key in steps) {
      event.preventDefault();
      this.mark((this.active + steps[event.key] + this.suggested.length) % this.suggested.length);
    } else if (open && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    } else if (open && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey && !(event.key === "Enter" && this.isComplete())) {
      event.preventDefault();
      this.accept(this.active);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  // --- files and shortcuts

  async attach(list) {
    const { place } = this;
    this.text.focus();
    for (const file of list) {
      const id = await upload(file);
      if (id) this.add(place, { id, name: file.name });
    }
  }

  /** Put a file with what is written in `place`, also when that is no longer the place shown. */
  add(place, file) {
    if (place === this.place) {
      this.files = [...this.files, file];
      this.keep();
      this.refresh();
      return;
    }
    const draft = drafts.get(place) ?? { text: "", files: [] };
    drafts.set(place, { ...draft, files: [...draft.files, file] });
  }

  shortcuts() {
    const entries = apps().flatMap((app) => (app.global_shortcuts ?? []).map((each) => ({
      label: each.name, detail: each.description || app.name, icon: avatar(app.bot_user_id, app.name, 24), testid: `shortcut-${each.callback_id}`,
      run: () => act("shortcut", { callback_id: each.callback_id }),
    })));
    const known = entries.length ? [{ heading: "Shortcuts" }, ...entries] : [{ heading: "The app has no global shortcuts." }];
    openMenu(this.bolt, [...known, { line: true }, { label: "Commands", detail: "Type / to see them all", icon: icon("hash", 18), run: () => this.startCommand() }], { label: "Shortcuts", testid: "shortcut-list" });
  }

  startCommand() {
    if (!this.text.value) this.text.value = "/";
    this.text.focus();
    this.typed();
  }

  // --- sending

  async send() {
    const text = this.text.value.trim();
    const { files, place, to } = this;
    if (!to || (!text && !files.length)) return;
    const word = /^\/[^\s/]+/.exec(this.text.value)?.[0];
    if (word && this.isThread) return this.say(`${word} is not supported in threads. Sorry!`);
    const command = word && commands().find((one) => one.command === word.toLowerCase());
    if (word && !command) return this.say(`${word} is not a command in this workspace. To send it as a message, begin with a space.`);
    this.text.value = "";
    this.files = [];
    this.say("");
    this.hide();
    this.keep();
    this.refresh();
    const answer = command
      ? await act("command", { channel: to.channel, command: command.command, text: text.slice(word.length).trim() })
      : await act("say", { ...to, text, ...(files.length ? { files: files.map((file) => file.id) } : {}) });
    if (answer.ok) return this.onSent();
    return this.giveBack(place, text, files);
  }

  /** What could not be sent is not lost: it stands in its composer again, unless something new was typed there. */
  giveBack(place, text, files) {
    if (place !== this.place) {
      if (!drafts.get(place)?.text) drafts.set(place, { text, files });
      return;
    }
    if (this.text.value) return;
    this.text.value = text;
    this.files = files;
    this.keep();
    this.refresh();
  }
}

