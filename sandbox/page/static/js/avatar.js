// Pictures of people and apps, made of their initials: a circle for a person, a rounded square for an app.

import { h, s } from "./dom.js";
import { appById, appOfBot, people, person } from "./store.js";

// Each carries white text with a contrast of at least 4.5 : 1.
const COLOURS = ["#2f6f62", "#3a5f9e", "#8a4b2f", "#6a4a8c", "#8a3a55", "#4a6b2a", "#2d6a80", "#7a5a12", "#5a5f6b", "#9a4038"];

/** Neighbours in the list of people differ; who is not in it gets a colour by name. */
function colourOf(id) {
  const index = people().findIndex((one) => one.id === id);
  if (index !== -1) return COLOURS[index % COLOURS.length];
  let sum = 0;
  for (const sign of id) sum = (sum * 31 + sign.codePointAt(0)) % 9973;
  return COLOURS[sum % COLOURS.length];
}

const initials = (name) => {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : (words[0] ?? "?").slice(0, 1)).toUpperCase();
};

/** The picture of a user, bot user or app id. `size` in pixels. Decorative: the name stands beside it. */
export function avatar(id, name, size = 36) {
  const one = person(id);
  const isApp = Boolean(one?.is_bot || appOfBot(id) || appById(id));
  const label = name || one?.real_name || one?.name || id || "?";
  const fill = colourOf(appById(id)?.bot_user_id ?? (id || label));
  const shape = isApp
    ? s("rect", { x: 0, y: 0, width: 36, height: 36, rx: 9, fill })
    : s("circle", { cx: 18, cy: 18, r: 18, fill });
  const letters = s("text", { x: 18, y: 18, "text-anchor": "middle", "dominant-baseline": "central", fill: "#fff", "font-size": 14, "font-weight": 600 }, initials(label));
  return h("span", { class: `avatar${isApp ? " avatar-app" : ""}`, "aria-hidden": "true" }, s("svg", { viewBox: "0 0 36 36", width: size, height: size }, shape, letters));
}
