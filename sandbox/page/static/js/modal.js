// The stack of modals the app has opened for the person: the top one is shown.

import { act, read } from "./api.js";
import { avatar } from "./avatar.js";
import { drawBlocks, showErrors } from "./blocks.js";
import { hideDialog, showDialog } from "./dialog.js";
import { focusable, h, swap, uniqueId } from "./dom.js";
import { Form, problemsOf } from "./form.js";
import { icon } from "./icons.js";
import { plainText } from "./mrkdwn.js";
import { changed, conversation, on, state } from "./store.js";
import { hush } from "./toast.js";

const forms = new Map(); // view id -> what was typed into it
let shell = null; // {dialog, title, body, foot, sign, viewId}
const busy = new Set(); // ids of views that wait for the app

const top = () => state.modals.at(-1) ?? null;

export async function readViews() {
  const person = state.me;
  const answer = await read("views", { person });
  if (!answer || person !== state.me) return;
  state.modals = answer.modals ?? [];
  state.home = answer.home ?? null;
  changed("modals", "home");
}

function formOf(view) {
  if (!forms.has(view.id)) forms.set(view.id, new Form(conversation(state.route.place) ? state.route.place : null));
  return forms.get(view.id);
}

function surfaceOf(view) {
  const form = formOf(view);
  const where = { view_id: view.id };
  return {
    form,
    act: (blockId, element, value) => act("action", { where, block_id: blockId, action_id: element.action_id, element_value: value, state: form.state(view.blocks) }),
    query: (blockId, element, value) => act("options", { where, block_id: blockId, action_id: element.action_id, value }, { quiet: true }),
    changed: (blockId) => {
      const wrapper = shell?.body.querySelector(`.block.input.invalid[data-block-id="${CSS.escape(blockId)}"]`);
      if (!wrapper) return;
      wrapper.classList.remove("invalid"); // being mended: checked again when it is sent
      wrapper.querySelector(".field-error").hidden = true;
    },
  };
}

function banner(text) {
  shell.banner.textContent = text;
  shell.banner.hidden = !text;
  if (text) hush(text);
}

async function submit(view) {
  if (busy.has(view.id)) return;
  banner("");
  const form = formOf(view);
  const problems = problemsOf(view.blocks, form);
  if (!showErrors(shell.body, problems) || Object.keys(problems).length) return;
  setBusy(view, true);
  const answer = await act("submit", { view_id: view.id, state: form.state(view.blocks) }, { quiet: true });
  setBusy(view, false);
  if (!answer.ok && shell && top()?.id === view.id) {
    const errors = answer.errors ?? {};
    const placed = showErrors(shell.body, errors);
    if (!placed || !Object.keys(errors).length) banner(answer.notice ?? "We had some trouble connecting. Try again?");
  } else if (answer.errors && Object.keys(answer.errors).length) {
    showErrors(shell.body, answer.errors);
  }
  await readViews();
}

async function close(view, clear) {
  if (busy.has(view.id)) return;
  setBusy(view, true);
  await act("close", { view_id: view.id, clear });
  setBusy(view, false);
  await readViews();
}

function setBusy(view, value) {
  if (value) busy.add(view.id);
  else busy.delete(view.id);
  showBusy();
}

/** The waiting line is shown for the view on top only: one further down, or closed already, waits unseen. */
function showBusy() {
  const isBusy = busy.has(top()?.id);
  shell?.dialog.setAttribute("aria-busy", String(isBusy));
  shell?.dialog.classList.toggle("busy", isBusy);
}

function openShell() {
  const titleId = uniqueId("modal-title");
  const title = h("h2", { id: titleId });
  const body = h("div", { class: "dialog-body", "data-keep-scroll": "modal" });
  const note = h("p", { class: "dialog-banner", role: "alert", hidden: true, "data-testid": "modal-error" });
  const foot = h("div", { class: "dialog-foot" });
  const head = h("div", { class: "dialog-head" });
  const formNode = h("form", { class: "dialog-form", novalidate: true, onsubmit: (event) => (event.preventDefault(), top() && submit(top())) }, head, body, note, foot);
  const dialog = h("div", { role: "dialog", class: "dialog", "aria-labelledby": titleId, "data-testid": "modal" }, formNode);
  shell = { dialog, head, title, body, foot, banner: note, sign: null, viewId: null };
}

function drawView(view) {
  const surface = surfaceOf(view);
  const depth = state.modals.length;
  const isNew = shell.viewId !== view.id;
  const closeLabel = view.close ? plainText(view.close) : depth > 1 ? "Back" : "Close";
  const back = depth > 1 ? h("button", { type: "button", class: "icon-button", "aria-label": "Back to the form before", "data-focus": "modal/back", "data-testid": "modal-back", onclick: () => close(view, false) }, icon("back")) : null;
  const cross = h("button", { type: "button", class: "icon-button", "aria-label": "Close", "data-focus": "modal/x", "data-testid": "modal-x", onclick: () => close(view, true) }, icon("close"));
  shell.title.textContent = plainText(view.title);
  shell.dialog.dataset.viewId = view.id;
  swap(shell.head, back ?? avatar(view.app_id ?? view.bot_id ?? "app", view.app_name ?? appName(view), 28), shell.title, cross);
  swap(shell.body, drawBlocks(view.blocks, surface));
  const needsSubmit = view.submit || (view.blocks ?? []).some((block) => block.type === "input");
  swap(
    shell.foot,
    h("button", { type: "button", class: "button", "data-focus": "modal/close", "data-testid": "modal-close", onclick: () => close(view, false) }, closeLabel),
    needsSubmit ? h("button", { type: "submit", class: "button primary", "data-focus": "modal/submit", "data-testid": "modal-submit", disabled: view.submit_disabled }, view.submit ? plainText(view.submit) : "Submit") : null,
  );
  if (isNew) {
    banner("");
    shell.body.scrollTop = 0;
  }
  shell.viewId = view.id;
}

const appName = (view) => state.boot?.apps?.find((app) => app.id === view.app_id)?.name ?? state.boot?.apps?.[0]?.name ?? "App";

/** Where the typing starts: the element marked focus_on_load, else the first field. */
function firstField(view) {
  const wanted = (view.blocks ?? []).find((block) => block.element?.focus_on_load || block.accessory?.focus_on_load);
  const scope = wanted ? shell.body.querySelector(`[data-block-id="${CSS.escape(wanted.block_id)}"]`) : shell.body.querySelector(".block.input");
  const inScope = scope && focusable(scope).find((node) => !node.closest(".rich-tools, .chips"));
  return inScope ?? focusable(shell.body)[0] ?? shell.foot.querySelector("button:last-child");
}

function draw() {
  for (const id of [...forms.keys()]) if (!state.modals.some((view) => view.id === id)) forms.delete(id);
  const view = top();
  if (!view) {
    if (shell) hideDialog(shell.dialog);
    shell = null;
    return;
  }
  const isFresh = !shell;
  if (isFresh) openShell();
  const sign = JSON.stringify([view.id, view.hash, view.title, view.submit, view.close, view.blocks, state.modals.length]);
  if (sign === shell.sign) return;
  const isOther = shell.viewId !== view.id;
  drawView(view);
  showBusy();
  shell.sign = sign;
  if (isFresh) showDialog(shell.dialog, { onEscape: () => top() && close(top(), false), focus: () => firstField(view) });
  else if (isOther || !shell.dialog.contains(document.activeElement)) firstField(view)?.focus();
}

on("modals", draw);

/** Forget what another person had typed. */
export function forgetForms() {
  forms.clear();
  if (shell) hideDialog(shell.dialog);
  shell = null;
}
