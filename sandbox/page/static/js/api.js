// Talking to the workspace: reading, doing, and listening for changes.

import { changed, state } from "./store.js";
import { toast } from "./toast.js";

async function answerOf(response) {
  try {
    return await response.json();
  } catch {
    return { ok: false, notice: `The workspace answered ${response.status} with something unreadable.` };
  }
}

const newest = new Map(); // name -> {address, turn, answer}: of the answers so far, the one asked for last
let turns = 0;

/**
 * GET one of the page's own resources; null when the workspace cannot be reached or refuses. Answers may overtake
 * each other: who asked earlier and hears later gets the newer answer, so nothing ever falls back to an old state.
 */
export async function read(name, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
  const address = `/sandbox/${name}?${query}`;
  turns += 1;
  const turn = turns;
  let answer = null;
  try {
    const response = await fetch(address, { headers: { accept: "application/json" } });
    answer = response.ok ? await response.json() : null;
  } catch {
    return null;
  }
  const known = newest.get(name);
  if (known?.turn > turn) return known.address === address ? known.answer : answer;
  newest.set(name, { address, turn, answer });
  return answer;
}

/** Do something as the person being played. Always an object with `ok`; a refusal's `notice` has been shown unless `quiet`. */
export async function act(name, fields = {}, { quiet = false } = {}) {
  let answer;
  try {
    const response = await fetch("/sandbox/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ person: state.me, do: name, ...fields }),
    });
    answer = await answerOf(response);
  } catch {
    answer = { ok: false, notice: "The workspace cannot be reached. Is it still running?" };
  }
  if (answer.ok === undefined) answer.ok = false;
  if (!answer.ok && answer.notice && !quiet) toast(answer.notice, "problem");
  return answer;
}

/** Upload one file; its id, or null (the reason has been shown). */
export async function upload(file) {
  const body = new FormData();
  body.append("file", file, file.name);
  try {
    const response = await fetch(`/sandbox/upload?person=${encodeURIComponent(state.me)}`, { method: "POST", body });
    const answer = await answerOf(response);
    if (answer.file_id) return answer.file_id;
    toast(answer.notice ?? `${file.name} could not be uploaded.`, "problem");
  } catch {
    toast(`${file.name} could not be uploaded: the workspace cannot be reached.`, "problem");
  }
  return null;
}

let source = null;
let retry = null;

function setConnected(connected) {
  if (state.connected === connected) return;
  state.connected = connected;
  changed("connection");
}

/** Listen for `person`'s live events; `onEvent(event)` for each, `onReturn()` whenever a lost connection is back. */
export function listen(person, onEvent, onReturn) {
  source?.close();
  clearTimeout(retry);
  source = new EventSource(`/sandbox/live?person=${encodeURIComponent(person)}`);
  const mine = source;
  let wasLost = false;
  mine.onopen = () => {
    setConnected(true);
    if (wasLost) onReturn();
    wasLost = false;
  };
  mine.onmessage = (message) => onEvent(JSON.parse(message.data));
  mine.onerror = () => {
    if (mine !== source) return;
    wasLost = true;
    setConnected(false);
    if (mine.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    retry = setTimeout(() => {
      listen(person, onEvent, onReturn);
      source.addEventListener("open", onReturn, { once: true });
    }, 2000);
  };
}
