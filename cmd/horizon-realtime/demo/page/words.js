// Horizon's words for what the services' states are called.

const STATUS = {
  ACTIVE: 'Active',
  BUILD: 'Build',
  DELETED: 'Deleted',
  ERROR: 'Error',
  HARD_REBOOT: 'Hard Reboot',
  PAUSED: 'Paused',
  REBOOT: 'Reboot',
  SHUTOFF: 'Shutoff',
  SUSPENDED: 'Suspended',
};

const POWER = {
  '': 'No State',
  pending: 'No State',
  nostate: 'No State',
  running: 'Running',
  paused: 'Paused',
  shutdown: 'Shut Down',
  crashed: 'Crashed',
  suspended: 'Suspended',
};

const TASK = {
  block_device_mapping: 'Block Device Mapping',
  'powering-off': 'Powering Off',
  'powering-on': 'Powering On',
  reboot_pending: 'Reboot Pending',
  reboot_started: 'Reboot Started',
};

/** statusWord names an API status; one it does not know is spelled nicely. */
export function statusWord(status) {
  return STATUS[status] ?? titled(status ?? '');
}

/** powerWord names a power state, as versioned notifications spell it. */
export function powerWord(power) {
  return power === undefined ? '—' : (POWER[power ?? ''] ?? titled(String(power)));
}

/** taskWord names a task; none is None, as in Horizon. */
export function taskWord(task) {
  return task ? (TASK[task] ?? titled(task)) : 'None';
}

/** tone groups statuses by what they mean to whoever looks: good, busy, idle or bad. */
export function tone(status, task) {
  if (status === 'ERROR') return 'bad';
  if (task || status === 'BUILD' || status === 'REBOOT' || status === 'HARD_REBOOT') return 'busy';
  return status === 'ACTIVE' ? 'good' : 'idle';
}

const UNITS = [
  ['year', 365 * 24 * 3600],
  ['month', 30 * 24 * 3600],
  ['week', 7 * 24 * 3600],
  ['day', 24 * 3600],
  ['hour', 3600],
  ['minute', 60],
];

/** age says how long ago a moment was, in two units at most, as Django's
 *  timesince does. */
export function age(created, now) {
  let seconds = Math.floor((now - Date.parse(created)) / 1000);
  if (Number.isNaN(seconds)) return '—';
  if (seconds < 60) return 'just now';
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const parts = [];
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(seconds / size);
    if (count === 0) break;
    parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
    seconds -= count * size;
  }
  return parts.join(', ');
}

function titled(word) {
  return word.toLowerCase().split(/[_-]/).map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join(' ');
}
