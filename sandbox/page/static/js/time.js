// Dates and times as a person reads them in a given zone (an IANA name). Instants are Unix seconds.

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const HALF_A_YEAR_DAYS = 183;

const formats = new Map();

function formatOf(zone) {
  if (formats.has(zone)) return formats.get(zone);
  const options = {
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23", calendar: "gregory",
  };
  let format;
  try {
    format = new Intl.DateTimeFormat("en-US", { ...options, timeZone: zone || "UTC" });
  } catch {
    format = new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" }); // a zone this browser does not know
  }
  formats.set(zone, format);
  return format;
}

/** Wall-clock parts of an instant: {year, month 1-12, day, hour, minute, second, weekday 0 = Sunday}. */
export function parts(epoch, zone) {
  const found = {};
  for (const { type, value } of formatOf(zone).formatToParts(new Date(epoch * 1000))) {
    if (type !== "literal") found[type] = Number(value);
  }
  found.weekday = new Date(Date.UTC(found.year, found.month - 1, found.day)).getUTCDay();
  return found;
}

const two = (number) => String(number).padStart(2, "0");
const dayNumber = (p) => Math.round(Date.UTC(p.year, p.month - 1, p.day) / 86400000);

/** "2026-11-22" in the zone. */
export function dateText(epoch, zone) {
  const p = parts(epoch, zone);
  return `${String(p.year).padStart(4, "0")}-${two(p.month)}-${two(p.day)}`;
}

/** "17:05" in the zone. */
export function time24(epoch, zone) {
  const p = parts(epoch, zone);
  return `${two(p.hour)}:${two(p.minute)}`;
}

/** "2026-11-22T17:05" in the zone, as a datetime-local field takes it. */
export const localStamp = (epoch, zone) => `${dateText(epoch, zone)}T${time24(epoch, zone)}`;

/** The instant at which the zone's clocks show `stamp` ("2026-11-22T17:05"). A skipped time moves on by the gap. */
export function epochOf(stamp, zone) {
  const [year, month, day, hour, minute] = stamp.split(/[-T:]/).map(Number);
  const wanted = Date.UTC(year, month - 1, day, hour, minute) / 1000;
  let guess = wanted;
  for (let turn = 0; turn < 3; turn += 1) {
    const p = parts(guess, zone);
    const shown = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) / 1000;
    if (shown === wanted) break;
    guess += wanted - shown;
  }
  return guess;
}

function clockTime(p, withSeconds = false) {
  const hour = p.hour % 12 || 12;
  return `${hour}:${two(p.minute)}${withSeconds ? `:${two(p.second)}` : ""} ${p.hour < 12 ? "AM" : "PM"}`;
}

/** "5:05 PM". */
export const timeText = (epoch, zone) => clockTime(parts(epoch, zone));

function ordinal(day) {
  const tens = day % 100;
  const ending = tens > 10 && tens < 14 ? "th" : ["th", "st", "nd", "rd"][day % 10] ?? "th";
  return `${day}${ending}`;
}

/** "today", "yesterday", "tomorrow" or null, as seen in the zone at `now`. */
function relativeDay(p, now, zone) {
  const distance = dayNumber(p) - dayNumber(parts(now, zone));
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[distance] ?? null;
}

/** What a divider between two days says: "Today", "Yesterday", "Monday, November 23rd". */
export function dayLabel(epoch, zone, now) {
  const p = parts(epoch, zone);
  const near = relativeDay(p, now, zone);
  if (near) return near[0].toUpperCase() + near.slice(1);
  const year = p.year === parts(now, zone).year ? "" : `, ${p.year}`;
  return `${DAYS[p.weekday]}, ${MONTHS[p.month - 1]} ${ordinal(p.day)}${year}`;
}

/** "Sunday, November 22nd, 2026 at 5:05 PM". */
export function fullText(epoch, zone) {
  const p = parts(epoch, zone);
  return `${DAYS[p.weekday]}, ${MONTHS[p.month - 1]} ${ordinal(p.day)}, ${p.year} at ${clockTime(p)}`;
}

/** "Sun, Nov 22" and the like, for small places. */
export function shortDay(epoch, zone) {
  const p = parts(epoch, zone);
  return `${DAYS[p.weekday].slice(0, 3)}, ${MONTHS[p.month - 1].slice(0, 3)} ${p.day}`;
}

/** "3 minutes ago", "in 2 days". */
export function agoText(epoch, now) {
  const seconds = Math.round(now - epoch);
  const size = Math.abs(seconds);
  if (size < 60) return seconds >= 0 ? "just now" : "in a moment";
  const [unit, length] = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]].find(([, each]) => size >= each);
  const count = Math.floor(size / length);
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

/** A date format with Slack's {tokens} filled in for the reader's zone; null when the instant cannot be read. */
export function slackDate(epoch, format, zone, now) {
  if (!Number.isFinite(epoch)) return null;
  const p = parts(epoch, zone);
  const month = MONTHS[p.month - 1];
  const far = Math.abs(dayNumber(p) - dayNumber(parts(now, zone))) >= HALF_A_YEAR_DAYS;
  const year = far ? `, ${p.year}` : "";
  const near = relativeDay(p, now, zone);
  const plain = {
    date_num: dateText(epoch, zone),
    date_slash: `${two(p.day)}/${two(p.month)}/${p.year}`,
    date: `${month} ${ordinal(p.day)}${year}`,
    date_short: `${month.slice(0, 3)} ${p.day}, ${p.year}`,
    date_long: `${DAYS[p.weekday]}, ${month} ${ordinal(p.day)}, ${p.year}`,
    date_long_full: `${month} ${p.day}, ${p.year}`,
    time: clockTime(p),
    time_secs: clockTime(p, true),
    ago: agoText(epoch, now),
  };
  const pretty = {
    date_pretty: near ?? plain.date,
    date_short_pretty: near ?? plain.date_short,
    date_long_pretty: near ?? plain.date_long,
    day_divider_pretty: near ?? dayLabel(epoch, zone, now),
  };
  const tokens = { ...plain, ...pretty };
  const filled = format.replace(/\{(\w+)\}/g, (whole, name) => tokens[name] ?? whole);
  return near && /^\{\w+_pretty\}/.test(format) ? filled[0].toUpperCase() + filled.slice(1) : filled;
}

/** The zone as people say it: "New York" of "America/New_York". */
export const zoneName = (zone) => (zone || "UTC").split("/").pop().replaceAll("_", " ");
