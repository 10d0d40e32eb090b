// Block elements a person can use: buttons, menus, pickers, fields.
//
// `surface` says where an element stands: {form, blockId, act(blockId, element, value), query(blockId, element, typed),
// inInput, dispatches, optional, attributes (aria for the control), focusKey}.

import { combobox } from "./combobox.js";
import { ask } from "./dialog.js";
import { h, hidden, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { plainText, safeUrl, textNodes } from "./mrkdwn.js";
import { openMenu } from "./popup.js";
import { readEditor, richText } from "./rich_text.js";
import { apps, conversation, conversationName, conversations, people, person, personName, state, zone } from "./store.js";
import { epochOf, localStamp, zoneName } from "./time.js";
import { toast } from "./toast.js";
import { upload } from "./api.js";

const SETTLE_MS = 700; // a date typed key by key is complete several times on its way
const TYPING_MS = 300;

/** Ask what the element's confirm object asks; true when the person agrees or nothing is asked. */
export async function confirmed(confirm) {
  if (!confirm) return true;
  const answer = await ask({
    title: plainText(confirm.title ?? "Are you sure?"),
    content: h("div", { class: "text" }, textNodes(confirm.text)),
    testid: "confirm",
    buttons: [
      { label: plainText(confirm.deny ?? "Cancel"), value: false, testid: "confirm-deny" },
      { label: plainText(confirm.confirm ?? "Yes"), value: true, style: confirm.style === "danger" ? "danger" : "primary", testid: "confirm-yes" },
    ],
  });
  return answer === true;
}

/** Send an action, with the control shown as busy until the app has acknowledged it. */
async function send(control, surface, element, value) {
  if (control.getAttribute("aria-busy") === "true") return;
  if (!(await confirmed(element.confirm))) return;
  control.setAttribute("aria-busy", "true");
  await surface.act(surface.blockId, element, value);
  control.removeAttribute("aria-busy");
}

const focusKey = (surface, element) => `${surface.blockId}/${element.action_id}`;

/** Store a field's value, and tell the app where its block or place asks for that. */
function store(control, surface, element, value, sent) {
  surface.form.set(surface.blockId, element, value);
  surface.changed?.(surface.blockId);
  if (!surface.inInput || surface.dispatches) send(control, surface, element, sent);
}

// --- buttons

function button(element, surface) {
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(state.me)) return null;
  const url = element.url && safeUrl(element.url);
  const node = h(
    url ? "a" : "button",
    {
      class: `button ${element.style ?? ""}`, "data-focus": focusKey(surface, element), "data-action-id": element.action_id,
      "aria-label": element.accessibility_label, ...(url ? { href: url, target: "_blank", rel: "noopener noreferrer" } : { type: "button" }),
      onclick: () => send(node, surface, element),
    },
    plainText(element.text),
    url ? [icon("out", 14), hidden(" (opens a new tab)")] : null,
  );
  return node;
}

function workflowButton(element, surface) {
  const say = () => toast("This button would start a workflow. There are no workflows here, and the app hears nothing of it.");
  return h("button", { type: "button", class: `button ${element.style ?? ""}`, "data-focus": focusKey(surface, element), "aria-label": element.accessibility_label, onclick: say }, plainText(element.text));
}

function iconButton(element, surface) {
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(state.me)) return null;
  const label = element.accessibility_label ?? plainText(element.text);
  const node = h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: plainText(element.text), "data-focus": focusKey(surface, element), onclick: () => send(node, surface, element) },
    icon(element.icon === "trash" ? "trash" : "more", 18),
  );
  return node;
}

function feedbackButtons(element, surface) {
  const one = (choice, sign) => {
    if (!choice) return null;
    const node = h(
      "button",
      {
        type: "button", class: "icon-button", "aria-label": choice.accessibility_label ?? plainText(choice.text), title: plainText(choice.text),
        "data-focus": `${focusKey(surface, element)}/${sign}`, onclick: () => send(node, surface, element, choice.value),
      },
      icon(sign, 18),
    );
    return node;
  };
  return h("span", { class: "feedback", role: "group", "aria-label": "Feedback" }, one(element.positive_button, "thumbUp"), one(element.negative_button, "thumbDown"));
}

function overflow(element, surface) {
  const run = (option) => {
    const url = option.url && safeUrl(option.url);
    if (url) open(url, "_blank", "noopener");
    send(node, surface, element, option);
  };
  const entries = (element.options ?? []).map((option) => ({
    label: plainText(option.text), detail: option.description ? plainText(option.description) : null, run: () => run(option),
  }));
  const node = h(
    "button",
    {
      type: "button", class: "icon-button bordered", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
      "data-focus": focusKey(surface, element), "data-action-id": element.action_id, onclick: () => openMenu(node, entries, { label: "More actions", align: "end" }),
    },
    icon("more"),
  );
  return node;
}

// --- checkboxes and radio buttons

function choices(element, surface, { type, current, next }) {
  const name = uniqueId("choice");
  const selected = new Set(current().map((option) => option?.value));
  const choice = (option, index) => {
    const words = [h("span", {}, textNodes(option.text)), option.description ? h("small", {}, textNodes(option.description)) : null];
    const box = h("input", {
      type, name, checked: selected.has(option.value), "data-focus": `${focusKey(surface, element)}/${index}`, "data-value": option.value,
      onchange: () => {
        const checked = element.options.filter((_, at) => group.querySelectorAll("input")[at].checked);
        const value = next(checked);
        store(group, surface, element, value, Object.values(value)[0]);
      },
    });
    return h("label", { class: "choice" }, box, h("span", { class: "menu-words" }, words));
  };
  const group = h("div", { role: type === "radio" ? "radiogroup" : "group", class: "choices", "data-action-id": element.action_id, ...surface.attributes }, (element.options ?? []).map(choice));
  return group;
}

const checkboxes = (element, surface) =>
  choices(element, surface, {
    type: "checkbox",
    current: () => surface.form.get(surface.blockId, element).selected_options ?? [],
    next: (checked) => ({ selected_options: checked }),
  });

const radioButtons = (element, surface) =>
  choices(element, surface, {
    type: "radio",
    current: () => [surface.form.get(surface.blockId, element).selected_option],
    next: (checked) => ({ selected_option: checked[0] ?? null }),
  });

// --- menus

const asOption = (raw, group) => ({
  id: String(raw.value), label: plainText(raw.text), detail: raw.description ? plainText(raw.description) : null, group, raw,
});

const grouped = (source) =>
  source.option_groups ? source.option_groups.flatMap((each) => each.options.map((raw) => asOption(raw, plainText(each.label)))) : (source.options ?? []).map((raw) => asOption(raw));

const matches = (options, query) => {
  const wanted = query.toLowerCase().replace(/^[@#]/, "");
  return options.filter((option) => `${option.label} ${option.detail ?? ""} ${option.search ?? ""}`.toLowerCase().includes(wanted));
};

const userOption = (id) => {
  const one = person(id);
  return { id, label: personName(id), detail: one && !one.is_bot ? `@${one.name} · ${zoneName(one.tz)}` : one || apps().some((app) => app.bot_user_id === id) ? "App" : null, raw: id };
};

const conversationOption = (id) => {
  const one = conversation(id);
  const sign = one?.kind === "public" ? "#" : "";
  return { id, label: one ? sign + conversationName(one) : id, detail: { private: "Private channel", im: "Direct message", app_im: "App" }[one?.kind] ?? null, raw: id };
};

const userOptions = () => people().filter((one) => !one.deleted).map((one) => userOption(one.id));

const FILTER_KINDS = { public: ["public"], private: ["private"], im: ["im", "app_im"], mpim: [] };

function conversationOptions(element) {
  const { include, exclude_bot_users: noBots } = element.filter ?? {};
  const kinds = include ? include.flatMap((each) => FILTER_KINDS[each] ?? []) : null;
  return conversations()
    .filter((one) => !one.is_archived && (kinds ? kinds.includes(one.kind) : true) && !(noBots && one.kind === "app_im"))
    .map((one) => conversationOption(one.id));
}

const channelOptions = () => conversations().filter((one) => one.kind === "public" && !one.is_archived).map((one) => conversationOption(one.id));

/** Where a menu's options come from and how a chosen id is shown, by the kind of menu. */
const SOURCES = {
  static: { load: (element) => grouped(element), show: (raw) => asOption(raw) },
  users: { load: userOptions, show: userOption },
  conversations: { load: conversationOptions, show: conversationOption },
  channels: { load: channelOptions, show: conversationOption },
};

async function externalOptions(element, surface, query) {
  const least = element.min_query_length ?? 3;
  if (query.length < least) return { message: `Type ${least} character${least === 1 ? "" : "s"} or more to search.` };
  const answer = await surface.query(surface.blockId, element, query);
  if (answer.ok === false) return { message: "The app gave no options. Try again." };
  return grouped(answer);
}

const MENU_TYPE = /^(multi_)?(static|external|users|conversations|channels)_select$/;

function menu(element, surface) {
  const [, multi, kind] = MENU_TYPE.exec(element.type);
  const source = SOURCES[kind === "external" ? "static" : kind];
  const value = surface.form.get(surface.blockId, element);
  const [key, current] = Object.entries(value)[0];
  const load = kind === "external" ? (query) => externalOptions(element, surface, query) : (query) => matches(source.load(element), query);
  const { root, input } = combobox({
    load,
    multiple: Boolean(multi),
    max: element.max_selected_items ?? 0,
    clearable: Boolean(surface.inInput && surface.optional),
    selected: (multi ? current : [current]).filter(Boolean).map(source.show),
    placeholder: element.placeholder ? plainText(element.placeholder) : multi ? "Choose some" : "Choose one",
    delay: kind === "external" ? TYPING_MS : 0,
    attributes: {
      "data-focus": focusKey(surface, element), "data-action-id": element.action_id,
      ...(surface.attributes["aria-labelledby"] ? {} : { "aria-label": element.placeholder ? plainText(element.placeholder) : "Choose" }),
      ...surface.attributes,
    },
    onChange: (options) => {
      const picked = multi ? options.map((option) => option.raw) : (options[0]?.raw ?? null);
      store(root, surface, element, { [key]: picked }, picked);
    },
  });
  return root;
}

// --- dates and times

function dateField(element, surface, { type, shown, read, name }) {
  let timer = null;
  let last = shown();
  const commit = () => {
    clearTimeout(timer);
    if (node.value === last || (node.value && node.validity.badInput)) return;
    last = node.value;
    const value = read(node.value);
    store(node, surface, element, value, Object.values(value)[0]);
  };
  const node = h("input", {
    type, class: "field", value: last, "data-focus": focusKey(surface, element), "data-action-id": element.action_id,
    ...(surface.attributes["aria-labelledby"] ? {} : { "aria-label": element.placeholder ? plainText(element.placeholder) : name }),
    ...surface.attributes,
    onchange: () => {
      clearTimeout(timer);
      if (surface.inInput && !surface.dispatches) commit();
      else timer = setTimeout(commit, SETTLE_MS);
    },
    onblur: commit,
    onkeydown: (event) => event.key === "Enter" && commit(),
  });
  const words = !surface.inInput && element.placeholder;
  return words ? h("label", { class: "with-zone" }, h("small", {}, plainText(element.placeholder)), node) : node;
}

const datepicker = (element, surface) =>
  dateField(element, surface, {
    type: "date", name: "Date",
    shown: () => surface.form.get(surface.blockId, element).selected_date ?? "",
    read: (text) => ({ selected_date: text || null }),
  });

function timepicker(element, surface) {
  const field = dateField(element, surface, {
    type: "time", name: "Time",
    shown: () => surface.form.get(surface.blockId, element).selected_time ?? "",
    read: (text) => ({ selected_time: text ? text.slice(0, 5) : null, ...(element.timezone ? { timezone: element.timezone } : {}) }),
  });
  return element.timezone ? h("span", { class: "with-zone" }, field, h("small", {}, zoneName(element.timezone), " time")) : field;
}

function datetimepicker(element, surface) {
  const field = dateField(element, surface, {
    type: "datetime-local", name: "Date and time",
    shown: () => {
      const epoch = surface.form.get(surface.blockId, element).selected_date_time;
      return epoch ? localStamp(epoch, zone()) : "";
    },
    read: (text) => ({ selected_date_time: text ? epochOf(text.slice(0, 16), zone()) : null }),
  });
  return h("span", { class: "with-zone" }, field, h("small", {}, zoneName(zone()), " time"));
}

// --- typed text

function triggers(element) {
  return element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
}

const INPUT_TYPES = { plain_text_input: "text", email_text_input: "email", url_text_input: "url", number_input: "text" };

function textField(element, surface) {
  const { value } = surface.form.get(surface.blockId, element);
  const isArea = element.type === "plain_text_input" && element.multiline;
  let timer = null;
  const counter = element.max_length ? h("span", { class: "counter", "aria-hidden": "true" }) : null;
  const count = () => {
    if (!counter) return;
    const left = element.max_length - [...node.value].length;
    counter.textContent = left < Math.max(20, element.max_length / 10) ? String(left) : "";
    counter.classList.toggle("over", left < 0);
  };
  const tell = () => send(node, surface, element, node.value);
  const node = h(isArea ? "textarea" : "input", {
    class: "field", value: value ?? "", rows: isArea ? 4 : null, type: isArea ? null : INPUT_TYPES[element.type], autocomplete: "off",
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    placeholder: element.placeholder ? plainText(element.placeholder) : null,
    "data-focus": focusKey(surface, element), "data-action-id": element.action_id, ...surface.attributes,
    oninput: () => {
      surface.form.set(surface.blockId, element, { value: node.value === "" ? null : node.value });
      surface.changed?.(surface.blockId);
      count();
      if (!surface.dispatches || !triggers(element).includes("on_character_entered")) return;
      clearTimeout(timer);
      timer = setTimeout(tell, TYPING_MS);
    },
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.isComposing || (isArea && !event.ctrlKey && !event.metaKey)) return;
      if (!surface.dispatches || !triggers(element).includes("on_enter_pressed")) return;
      event.preventDefault();
      event.stopPropagation();
      tell();
    },
  });
  count();
  return counter ? h("span", { class: "with-counter" }, node, counter) : node;
}

const EDITS = [["bold", "Bold"], ["italic", "Italic"], ["strike", "Strikethrough"], ["list", "Bulleted list"]];
const COMMANDS = { bold: "bold", italic: "italic", strike: "strikeThrough", list: "insertUnorderedList" };

function richTextInput(element, surface) {
  const { rich_text_value: value } = surface.form.get(surface.blockId, element);
  const keep = () => {
    surface.form.set(surface.blockId, element, { rich_text_value: readEditor(editor) });
    surface.changed?.(surface.blockId);
  };
  const editor = h("div", {
    class: "field editor text", contenteditable: "true", role: "textbox", "aria-multiline": "true", "data-focus": focusKey(surface, element), "data-action-id": element.action_id,
    "data-placeholder": element.placeholder ? plainText(element.placeholder) : "", ...surface.attributes, oninput: keep,
    onpaste: (event) => {
      event.preventDefault();
      document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    },
  }, value ? richText(value) : null);
  const tool = ([name, label]) =>
    h("button", {
      type: "button", class: "icon-button", "aria-label": label, title: label, onmousedown: (event) => event.preventDefault(),
      onclick: () => {
        editor.focus();
        document.execCommand(COMMANDS[name]);
        keep();
      },
    }, icon(name, 16));
  return h("div", { class: "rich-input" }, h("div", { class: "rich-tools", role: "toolbar", "aria-label": "Formatting" }, EDITS.map(tool)), editor);
}

// --- files

function fileInput(element, surface) {
  const most = element.max_files ?? 10;
  const files = () => surface.form.get(surface.blockId, element).files ?? [];
  const set = (list) => {
    surface.form.set(surface.blockId, element, { files: list });
    surface.changed?.(surface.blockId);
    draw();
  };
  const names = h("ul", { class: "file-names" });
  const picker = h("input", {
    type: "file", class: "sr-only", multiple: most > 1, tabindex: "-1", "aria-hidden": "true", "data-testid": "file-input", "data-action-id": element.action_id,
    accept: element.filetypes?.map((each) => `.${each}`).join(",") ?? null,
    onchange: async () => {
      for (const file of [...picker.files].slice(0, most - files().length)) {
        const id = await upload(file);
        if (id) set([...files(), { id, name: file.name, title: file.name, size: file.size, mimetype: file.type }]);
      }
      picker.value = "";
    },
  });
  const add = h("button", { type: "button", class: "button", "data-focus": focusKey(surface, element), ...surface.attributes, onclick: () => picker.click() }, icon("clip", 16), most > 1 ? "Add files" : "Add a file");
  const draw = () => {
    names.replaceChildren(
      ...files().map((file) =>
        h("li", { class: "chip" }, file.name, h("button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => set(files().filter((one) => one !== file)) }, icon("close", 12)))),
    );
    add.disabled = files().length >= most;
  };
  draw();
  return h("div", { class: "file-input" }, names, add, picker);
}

const ELEMENTS = {
  button, overflow, checkboxes, datepicker, timepicker, datetimepicker,
  workflow_button: workflowButton,
  icon_button: iconButton,
  feedback_buttons: feedbackButtons,
  radio_buttons: radioButtons,
  plain_text_input: textField,
  email_text_input: textField,
  url_text_input: textField,
  number_input: textField,
  rich_text_input: richTextInput,
  file_input: fileInput,
};

/** The control of an element, or null for a type this page does not know. */
export function drawElement(element, surface) {
  const full = { attributes: {}, ...surface };
  if (MENU_TYPE.test(element?.type)) return menu(element, full);
  const draw = ELEMENTS[element?.type];
  return draw ? draw(element, full) : null;
}

export const knowsElement = (type) => MENU_TYPE.test(type) || type in ELEMENTS;
