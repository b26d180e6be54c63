// Draws a server's message into its row without asking Horizon.
//
// Only in English: the words are Horizon's own English ones, and columns are found
// by their titles, so a customised table keeps what it has. A row's actions depend
// on policies, so they are fetched when somebody reaches for the row.

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
const DRAWN = new Set([...Object.values(CELLS).map((cell) => cell.member), 'launched_at', 'host', 'node', 'error']);

/**
 * painter makes a function that draws messages into rows.
 *
 * @param {(id: string) => void} ask fetches a row
 * @returns {(row: Element, message: object, changed: string[], before?: object) => boolean}
 *   false where a change is one that only Horizon can draw
 */
export function painter(ask) {
  return (row, message, changed, before) => {
    // One format of a notification has columns that the other has not: what is told for the first time is no change.
    if (changed.some((member) => !DRAWN.has(member) && before.data[member] !== undefined)) return false;
    if (message.error || message.status === undefined || !showsAddresses(row, message)) return false;
    const titles = [...row.closest('table').querySelectorAll('tr.table_column_header > th')].map((th) => th.textContent.trim());
    for (const [title, cell] of Object.entries(CELLS)) {
      const value = cell.member in message ? message[cell.member] : message.data[cell.member];
      const td = row.cells[titles.indexOf(title)];
      if (td && value !== undefined) draw(td, value, cell);
    }
    const state = message.task ? 'warning' : statusClass(message.status);
    row.classList.remove('status_up', 'status_down', 'warning');
    row.classList.add(state);
    freshen(row, message.id, ask);
    return true;
  };
}

function draw(td, value, { words: say = (v) => v ?? '-', link, state }) {
  const text = say(value);
  const target = link ? td.querySelector('a') ?? td : td;
  td.querySelector('.horizon-loading-bar')?.remove();
  if (target.textContent.trim() !== text) target.textContent = text;
  if (!state) return;
  td.classList.remove('status_up', 'status_down', 'warning');
  td.classList.add(state(value));
}

// Whoever points at the row, or comes to it by the keyboard, gets its actions.
function freshen(row, id, ask) {
  if (row.dataset.realtimeDrawn) return;
  row.dataset.realtimeDrawn = 'true';
  const reached = () => {
    if (!row.dataset.realtimeDrawn) return;
    delete row.dataset.realtimeDrawn;
    ask(id);
  };
  for (const event of ['pointerenter', 'focusin']) row.addEventListener(event, reached, { once: true });
}

// A server gets its addresses while it is built.
function showsAddresses(row, message) {
  return (message.data.addresses ?? []).every(({ address }) => row.textContent.includes(address));
}

function statusClass(status) {
  if (status === 'ERROR') return 'status_down';
  return STEADY.has(status) ? 'status_up' : 'warning';
}

function words(value) {
  return String(value ?? '-').replaceAll('_', ' ').toLowerCase().replace(/(^|[\s-])[a-z]/g, (letter) => letter.toUpperCase());
}
