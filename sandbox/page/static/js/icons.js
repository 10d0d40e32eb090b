// Small line drawings of our own, 20 by 20, drawn with the colour of the text around them.

import { s } from "./dom.js";

const PATHS = {
  hash: "M7.5 3.5 5.8 16.5M14.2 3.5l-1.7 13M3.5 7.5h13.4M3 12.5h13.4",
  lock: "M5.5 9h9v7h-9zM7.3 9V6.7a2.7 2.7 0 0 1 5.4 0V9",
  archive: "M3.5 4.5h13v3h-13zM4.5 7.5v8h11v-8M8 10.5h4",
  close: "M5 5l10 10M15 5 5 15",
  down: "M5.5 8l4.5 4.5L14.5 8",
  left: "M12 5.5 7.5 10 12 14.5",
  right: "M8 5.5l4.5 4.5L8 14.5",
  back: "M16 10H4.5M9 5l-5 5 5 5",
  plus: "M10 4v12M4 10h12",
  bolt: "M11 2.5 4.5 11.5H10L9 17.5 15.5 8.5H10z",
  clip: "M15.5 9.5l-5.7 5.6a3.4 3.4 0 0 1-4.8-4.8l6-6a2.3 2.3 0 0 1 3.2 3.2l-5.9 5.9a1.1 1.1 0 0 1-1.6-1.6l5.3-5.2",
  send: "M3.5 4l13.5 6-13.5 6 2-6zM5.5 10H11",
  smile: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM7.2 11.8c.7 1.2 1.7 1.8 2.8 1.8s2.1-.6 2.8-1.8M7.7 8v.4M12.3 8v.4",
  reply: "M4 4.5h12v8.5H9.5L6 16v-3H4z",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6.5V10l2.5 1.8",
  link: "M8.5 11.5 11.5 8.5M9 6.5l1.6-1.6a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5l-1.6 1.6a3.2 3.2 0 0 1-4.5-4.5L6.5 9",
  pencil: "M4 16l.8-3.4L13.2 4.2l2.6 2.6-8.4 8.4zM11.6 5.8l2.6 2.6",
  trash: "M4.5 6h11M8 6V4.2h4V6M6 6l.7 10h6.6L14 6M8.6 8.8v4.5M11.4 8.8v4.5",
  home: "M3.5 9.5 10 4l6.5 5.5M5.5 8.3V16h9V8.3M8.5 16v-4h3v4",
  search: "M8.8 3.8a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12.5 12.5 16.5 16.5",
  menu: "M3.5 5.5h13M3.5 10h13M3.5 14.5h13",
  check: "M4.5 10.5 8.5 14.5 15.5 6",
  out: "M11.5 4h4.5v4.5M16 4l-7 7M13.5 11.5V16h-9.5V6.5H8.5",
  eye: "M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5S2.5 10 2.5 10zM10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  file: "M5.5 3h6l3.5 3.5V17h-9.5zM11.5 3v3.5H15",
  thumbUp: "M3.5 9h2.7v7H3.5zM6.2 9.2 9.3 3.5c1.3 0 2 .9 1.7 2.2L10.5 8h4.3c1 0 1.6.9 1.3 1.8l-1.7 5.2c-.2.6-.7 1-1.3 1H6.2",
  thumbDown: "M3.5 11h2.7V4H3.5zM6.2 10.8l3.1 5.7c1.3 0 2-.9 1.7-2.2l-.5-2.3h4.3c1 0 1.6-.9 1.3-1.8l-1.7-5.2c-.2-.6-.7-1-1.3-1H6.2",
  people: "M7.5 4.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM2.8 16c.2-2.8 2.1-4.3 4.7-4.3s4.5 1.5 4.7 4.3M12.8 5a2.4 2.4 0 0 1 0 4.6M14.3 12c1.7.5 2.7 1.9 2.9 4",
  activity: "M3 10.5h3.2L8.5 5l3.3 10 2-4.5H17",
  play: "M7 4.5v11l8.5-5.5z",
  info: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 9.2v4.3M10 6.5v.4",
  warning: "M10 3.5 17.5 16h-15zM10 8.5v3.7M10 14v.3",
  bold: "M6 4h4.5a2.8 2.8 0 0 1 0 5.7H6zM6 9.7h5.2a3.1 3.1 0 0 1 0 6.3H6z",
  italic: "M8.5 4h5M6.5 16h5M11 4 9 16",
  strike: "M13.8 6c-.5-1.3-1.9-2-3.7-2-2.1 0-3.6 1-3.6 2.7 0 3.8 7.3 2.5 7.3 6.4 0 1.8-1.6 2.9-3.9 2.9-2 0-3.5-.8-4-2.3M3.5 10h13",
  list: "M7.5 5.5h9M7.5 10h9M7.5 14.5h9M3.7 5.5h.3M3.7 10h.3M3.7 14.5h.3",
};

const FILLED = { more: [[4.5, 10], [10, 10], [15.5, 10]] };

/** An icon that screen readers skip: the control around it carries the words. */
export function icon(name, size = 20) {
  const node = s("svg", { viewBox: "0 0 20 20", width: size, height: size, class: "icon", "aria-hidden": "true", focusable: "false" });
  if (FILLED[name]) {
    for (const [cx, cy] of FILLED[name]) node.append(s("circle", { cx, cy, r: 1.6, fill: "currentColor" }));
    return node;
  }
  node.append(
    s("path", {
      d: PATHS[name] ?? PATHS.info, fill: "none", stroke: "currentColor",
      "stroke-width": 1.5, "stroke-linecap": "round", "stroke-linejoin": "round",
    }),
  );
  return node;
}
