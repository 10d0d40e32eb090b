// The list of conversations: channels, direct messages, apps.

import { avatar } from "./avatar.js";
import { byId, h, hidden, redraw } from "./dom.js";
import { icon } from "./icons.js";
import { apps, conversation, conversationName, conversations, isChannel, now, on, people, person, personName, state, stranger } from "./store.js";
import { timeText } from "./time.js";

const slug = (name) => String(name).toLowerCase().replaceAll(" ", "-");

function marks(item) {
  if (!item) return null;
  const count = item.mentions || (item.kind === "im" || item.kind === "app_im" ? item.unread : 0);
  return [
    count ? h("span", { class: "badge", "aria-hidden": "true" }, count > 99 ? "99+" : count) : null,
    item.unread ? hidden(`, ${item.unread} unread${item.mentions ? `, ${item.mentions} for you` : ""}`) : null,
  ];
}

function entry({ href, current, unread, mark, name, quiet, tail, testid, title }) {
  return h(
    "li",
    {},
    h("a", { href, class: `side-item${unread ? " unread" : ""}${quiet ? " quiet-item" : ""}`, "aria-current": current ? "page" : null, "data-testid": testid, "data-focus": testid, title }, h("span", { class: "side-mark" }, mark), h("span", { class: "side-name" }, name), tail),
  );
}

function channelEntry(item) {
  const sign = item.is_archived ? "archive" : item.kind === "private" ? "lock" : "hash";
  const words = item.is_archived ? "archived channel " : item.kind === "private" ? "private channel " : "";
  return entry({
    href: `#/person/${state.me}/${item.id}`, current: state.route.place === item.id, unread: item.is_member && item.unread, testid: `conversation-${slug(item.name)}`,
    mark: icon(sign, 18), name: [words ? hidden(words) : null, item.name], quiet: !item.is_member || item.is_archived, tail: item.is_member ? marks(item) : null,
  });
}

function directEntry(item) {
  const one = person(item.with);
  const local = one?.tz && !one.is_bot ? timeText(now(), one.tz) : null;
  return entry({
    href: `#/person/${state.me}/${item.id}`, current: state.route.place === item.id, unread: item.unread, testid: `conversation-${slug(one?.name ?? item.with)}`,
    mark: avatar(item.with, personName(item.with), 22), name: conversationName(item), quiet: one?.deleted, title: local ? `${local} local time` : null,
    tail: marks(item) ?? null,
  });
}

function appEntry(app) {
  const im = conversation(app.im);
  const place = app.home ? app.id : app.im;
  return entry({
    href: `#/person/${state.me}/${place}`, current: state.route.place === app.id || state.route.place === app.im, unread: im?.unread, testid: `conversation-${slug(app.name)}`,
    mark: avatar(app.bot_user_id, app.name, 22), name: app.name, tail: [app.connected ? null : h("span", { class: "offline", title: "Not connected" }, hidden(", not connected")), marks(im)],
  });
}

const group = (title, entries) => (entries.length ? h("section", {}, h("h2", {}, title), h("ul", {}, entries)) : null);

const byName = (a, b) => conversationName(a).localeCompare(conversationName(b));

function draw() {
  if (!state.boot) return;
  const all = conversations();
  const mine = all.filter((one) => isChannel(one) && one.is_member && !one.is_archived).sort(byName);
  const more = all.filter((one) => isChannel(one) && (!one.is_member || one.is_archived)).sort(byName);
  const direct = all.filter((one) => one.kind === "im" && (!person(one.with)?.deleted || one.unread)).sort((a, b) => (b.with === state.me) - (a.with === state.me) || byName(a, b));
  const known = new Set(direct.map((one) => one.with));
  const strangers = people().filter((one) => !one.is_bot && !one.deleted && one.id !== state.me && !known.has(one.id));
  const sign = JSON.stringify([state.me, state.names, state.route.place, all, apps(), timeText(now(), "UTC")]);
  redraw(byId("sidebar-lists"), sign, () => [
    group("Channels", mine.map(channelEntry)),
    group(apps().length > 1 ? "Apps" : "App", apps().map(appEntry)),
    group("Direct messages", [...direct.map(directEntry), ...strangers.map((one) => directEntry(stranger(one.id)))]),
    group("Other channels", more.map(channelEntry)),
  ]);
}

on("boot route", draw);
