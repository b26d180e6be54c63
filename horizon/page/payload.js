// Draws what a message says about a server into the cells of its row, at once.
//
// Only in English: the words are Horizon's English ones, and columns are found
// by their titles, so a customised table keeps its cells. Horizon draws the row
// properly a moment later (drawing.js).

const POWER = {
  pending: 'No State', running: 'Running', paused: 'Paused', shutdown: 'Shut Down', crashed: 'Crashed', suspended: 'Suspended',
  0: 'No State', 1: 'Running', 3: 'Paused', 4: 'Shut Down', 6: 'Crashed', 7: 'Suspended',
};
const STATUS = { SHELVED_OFFLOADED: 'Shelved Offloaded', VERIFY_RESIZE: 'Confirm or Revert Resize/Migrate', RESIZE: 'Resize/Migrate', REVERT_RESIZE: 'Revert Resize/Migrate' };
const STEADY = new Set(['ACTIVE', 'SHUTOFF', 'SUSPENDED', 'PAUSED', 'RESCUE', 'SHELVED', 'SHELVED_OFFLOADED']);

// title → the member or column of a message, its words, and its own state's class
const CELLS = {
  'Instance Name': { member: 'name', link: true },
  Status: { member: 'status', words: (v) => STATUS[v] ?? words(v), state: statusClass },
  Task: { member: 'task', words: (v) => (v ? words(v) : 'None'), state: (v) => (v ? 'warning' : 'status_up') },
  'Power State': { member: 'power_state', words: (v) => POWER[v] ?? words(v) },
  'Availability Zone': { member: 'availability_zone' },
};
// What a message says as fully as Horizon shows it. launched_at is not shown.
const TOLD = new Set(['name', 'status', 'task', 'power_state', 'availability_zone', 'locked', 'key_name', 'host', 'node', 'launched_at', 'error']);

/**
 * onlyHorizonKnows reports whether Horizon must ask the services about a change.
 *
 * @param {Element} row
 * @param {object} message what is known of the server by now
 * @param {string[]} changed its members and columns that have changed
 * @param {object} [before] what was known until then
 */
export function onlyHorizonKnows(row, message, changed, before) {
  // One notification format has columns that the other lacks: a column that appears for the first time is not a change.
  if (changed.some((member) => !TOLD.has(member) && before.data[member] !== undefined)) return true;
  return Boolean(message.error) || message.status === undefined || message.task === undefined
    || mayHaveAnotherImage(message, before) || !showsAddresses(row, message, before) || !showsFlavor(row, message);
}

/**
 * addressesOf reads the addresses that a row shows, including floating ones;
 * undefined if a theme shows them in another way.
 */
export function addressesOf(row) {
  const lists = row.querySelectorAll('td > ul.list-unstyled');
  if (lists.length === 0) return undefined;
  return [...lists].flatMap((list) => {
    const copy = list.cloneNode(true);
    copy.querySelectorAll('b').forEach((network) => network.remove());
    return copy.textContent.split(/[\s,]+/).filter((word) => /^[0-9a-f]*[.:][0-9a-f.:]+$/i.test(word));
  });
}

/** paint draws a message into its row's cells. */
export function paint(row, message) {
  const titles = [...row.closest('table').querySelectorAll('tr.table_column_header > th')].map((th) => th.textContent.trim());
  for (const [title, cell] of Object.entries(CELLS)) {
    const value = cell.member in message ? message[cell.member] : message.data[cell.member];
    const td = row.cells[titles.indexOf(title)];
    if (td && value !== undefined) draw(td, value, cell);
  }
  if (message.status === undefined || message.task === undefined) return;
  const state = message.task ? 'warning' : statusClass(message.status);
  row.classList.remove('status_up', 'status_down', 'warning');
  row.classList.add(state);
}

function draw(td, value, { words: say = (v) => v ?? '-', link, state }) {
  const text = inert(String(say(value)));
  const target = link ? td.querySelector('a') ?? td : td;
  td.querySelector('.horizon-loading-bar')?.remove();
  if (target.textContent.trim() !== text) target.textContent = text;
  if (!state) return;
  td.classList.remove('status_up', 'status_down', 'warning');
  td.classList.add(state(value));
}

// Horizon's pages are Angular templates, compiled again whenever a row changes. Text
// written here could be an expression, so it is escaped as Horizon's own escape() does.
function inert(text) {
  return text.replaceAll('{$', '{%').replaceAll('$}', '%}');
}

// A server gets its addresses while it is built. An address that is shown but not in the message
// may be a floating one, or one that was just removed.
function showsAddresses(row, { data }, before) {
  if (!data.addresses) return true;
  const told = data.addresses.map(({ address }) => address);
  const isFirst = before?.data.addresses === undefined;
  return told.every((address) => row.textContent.includes(address)) && !(isFirst && addressesOf(row)?.some((address) => !told.includes(address)));
}

// Messages lack the image's name, and a rebuild with another image can be seen only if the earlier image is known.
function mayHaveAnotherImage({ task }, before) {
  return before?.data.image_id === undefined && /^rebuild/.test(task ?? '');
}

// A page may have been opened while a resize was under way.
function showsFlavor(row, { data }) {
  return !data.flavor || [...row.querySelectorAll('td, td a')].some((element) => element.textContent.trim() === data.flavor);
}

function statusClass(status) {
  if (status === 'ERROR') return 'status_down';
  return STEADY.has(status) ? 'status_up' : 'warning';
}

function words(value) {
  return String(value ?? '-').replaceAll('_', ' ').toLowerCase().replace(/(^|[\s-])[a-z]/g, (letter) => letter.toUpperCase());
}
