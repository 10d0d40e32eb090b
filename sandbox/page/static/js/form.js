// What a person has put into the fields of a view or message, in the shape of Slack's state.values.

const EMPTY = {
  plain_text_input: (e) => ({ value: e.initial_value ?? null }),
  email_text_input: (e) => ({ value: e.initial_value ?? null }),
  url_text_input: (e) => ({ value: e.initial_value ?? null }),
  number_input: (e) => ({ value: e.initial_value ?? null }),
  rich_text_input: (e) => ({ rich_text_value: e.initial_value ?? null }),
  file_input: () => ({ files: [] }),
  datepicker: (e) => ({ selected_date: e.initial_date ?? null }),
  timepicker: (e) => ({ selected_time: e.initial_time ?? null, ...(e.timezone ? { timezone: e.timezone } : {}) }),
  datetimepicker: (e) => ({ selected_date_time: e.initial_date_time ?? null }),
  checkboxes: (e) => ({ selected_options: e.initial_options ?? [] }),
  radio_buttons: (e) => ({ selected_option: e.initial_option ?? null }),
  static_select: (e) => ({ selected_option: e.initial_option ?? null }),
  external_select: (e) => ({ selected_option: e.initial_option ?? null }),
  users_select: (e) => ({ selected_user: e.initial_user ?? null }),
  conversations_select: (e, here) => ({ selected_conversation: e.initial_conversation ?? (e.default_to_current_conversation ? here : null) ?? null }),
  channels_select: (e) => ({ selected_channel: e.initial_channel ?? null }),
  multi_static_select: (e) => ({ selected_options: e.initial_options ?? [] }),
  multi_external_select: (e) => ({ selected_options: e.initial_options ?? [] }),
  multi_users_select: (e) => ({ selected_users: e.initial_users ?? [] }),
  multi_conversations_select: (e, here) => ({ selected_conversations: e.initial_conversations ?? (e.default_to_current_conversation && here ? [here] : []) }),
  multi_channels_select: (e) => ({ selected_channels: e.initial_channels ?? [] }),
};

/** Whether an element holds a value of its own. */
export const isStateful = (element) => element?.type in EMPTY;

/** The property of a value object that carries the value, e.g. "selected_date". */
export const valueKey = (type) => Object.keys(EMPTY[type]({}))[0];

const idOf = (blockId, actionId) => `${blockId}\u0000${actionId}`;

/** Every [block_id, element] of `blocks` that holds a value, those inside containers and cards too. */
export function fieldsOf(blocks) {
  return (blocks ?? []).flatMap((block, index) => {
    const own = [block.element, block.accessory, ...(block.type === "actions" ? (block.elements ?? []) : [])];
    return [
      ...own.filter(isStateful).map((element) => [block.block_id ?? `block-${index}`, element]),
      ...fieldsOf(block.child_blocks),
    ];
  });
}

/** Values typed so far. They outlive a redraw: a field of the same block_id, action_id and type keeps what was typed. */
export class Form {
  constructor(here = null) {
    this.here = here; // the conversation the form was opened from
    this.typed = new Map();
  }

  /** The value object of a field, without its type: what was typed, else what the app set at first. */
  get(blockId, element) {
    const entry = this.typed.get(idOf(blockId, element.action_id));
    return entry && entry.type === element.type ? entry.value : EMPTY[element.type](element, this.here);
  }

  set(blockId, element, value) {
    this.typed.set(idOf(blockId, element.action_id), { type: element.type, value });
  }

  /** {block_id: {action_id: {type, ...value}}} for every field of `blocks`. */
  state(blocks) {
    const values = {};
    for (const [blockId, element] of fieldsOf(blocks)) {
      (values[blockId] ??= {})[element.action_id] = { type: element.type, ...this.get(blockId, element) };
    }
    return values;
  }
}

const length = (text) => [...text].length; // code points, as Slack counts
const plural = (count) => `${count} character${count === 1 ? "" : "s"}`;

function textProblem(element, text) {
  if (element.min_length && length(text) < element.min_length) return `Please write at least ${plural(element.min_length)}.`;
  if (element.max_length && length(text) > element.max_length) return `Please keep this to ${plural(element.max_length)}; it has ${length(text)}.`;
  return null;
}

function numberProblem(element, text) {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim())) return "Please enter a number.";
  if (!element.is_decimal_allowed && !/^[+-]?\d+$/.test(text.trim())) return "Please enter a whole number.";
  if (element.min_value !== undefined && Number(text) < Number(element.min_value)) return `Please enter a number of at least ${element.min_value}.`;
  if (element.max_value !== undefined && Number(text) > Number(element.max_value)) return `Please enter a number of at most ${element.max_value}.`;
  return null;
}

const PROBLEMS = {
  plain_text_input: textProblem,
  number_input: numberProblem,
  email_text_input: (element, text) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim()) ? textProblem(element, text) : "Please enter a valid email address."),
  url_text_input: (element, text) => (/^https?:\/\/[^\s.]+\S*$/i.test(text.trim()) ? textProblem(element, text) : "Please enter a valid link, such as https://example.com."),
};

const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

/** What is wrong with the input blocks before they are sent: {block_id: sentence}. */
export function problemsOf(blocks, form) {
  const problems = {};
  for (const [index, block] of (blocks ?? []).entries()) {
    if (block.child_blocks) Object.assign(problems, problemsOf(block.child_blocks, form));
    if (block.type !== "input" || !isStateful(block.element)) continue;
    const blockId = block.block_id ?? `block-${index}`;
    const value = form.get(blockId, block.element)[valueKey(block.element.type)];
    const blank = isEmpty(value) || (typeof value === "string" && !value.trim());
    const problem = blank ? (block.optional ? null : "Please complete this required field.") : PROBLEMS[block.element.type]?.(block.element, value);
    if (problem) problems[blockId] = problem;
  }
  return problems;
}
