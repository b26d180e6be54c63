// What panel messages do to a table's rows, without a DOM.
//
// In: rows as a page was rendered with, then panel messages ("v":1) in the
// order in which they arrive. Out: which row to draw, redraw or remove, and
// which of its members changed. Rows and messages have one shape:
//
//   {id, name, status, task, error, at, data: {column: value}, ...}
//
// Messages arrive at least once, may arrive in two formats, and come from
// services whose clocks differ. They are ordered by `at`, and by offset if `at` is
// equal, missing, or contradicts the offset by more than a reordering explains.
// Nothing older ever replaces something newer.

/** Changes that apply and load report. */
export const INSERT = 'insert';
export const UPDATE = 'update';
export const REMOVE = 'remove';

// How far apart in time two messages about one resource may be sent and still
// overtake each other on their way through RabbitMQ, in milliseconds. If a later
// offset claims to be older by more than this, a host's clock is wrong.
const REORDERING = 2000;

const MEMBERS = ['name', 'status', 'task', 'error'];

export class PanelTable {
  #rows = new Map(); // id → {row, time, offset}
  #dead = new Map(); // id → {time}: deleted, and not to come back
  #touched = null; // ids that messages changed while the page is being read again
  #maxRows;
  #maxDead;

  /**
   * @param {object} [limits]
   * @param {number} [limits.rows] the most rows to keep; messages about further
   *   rows are ignored, because a page does not show more either
   * @param {number} [limits.tombstones] how many deleted ids to remember
   */
  constructor({ rows = 1000, tombstones = 1000 } = {}) {
    this.#maxRows = rows;
    this.#maxDead = tombstones;
  }

  /** size is the number of rows. */
  get size() {
    return this.#rows.size;
  }

  /** get returns the row of an id. */
  get(id) {
    return this.#rows.get(id)?.row;
  }

  /** rows lists the rows, in no particular order. */
  rows() {
    return Array.from(this.#rows.values(), (entry) => entry.row);
  }

  /**
   * apply takes one panel message.
   *
   * @returns {{type: string, id: string, row: object, changed: string[]}|null}
   *   null if there is nothing to draw: the message is old, says nothing new,
   *   is about a deleted resource, or is not a panel message of this version
   */
  apply(message, offset = 0) {
    if (message?.v !== 1 || typeof message.id !== 'string' || message.id === '') return null;
    const { id } = message;
    const stamp = { time: parseTime(message.at), offset };
    const known = this.#rows.get(id);
    // Ids are never reused: a deletion holds whatever the clocks say, and only
    // a later creation (a restored resource) undoes it.
    if (message.action === 'delete') {
      this.#bury(id, stamp.time);
      if (!known) return null;
      this.#rows.delete(id);
      return { type: REMOVE, id, row: known.row, changed: [] };
    }
    if (known && compare(stamp, known) < 0) return null;
    const dead = this.#dead.get(id);
    if (dead && !(message.action === 'create' && stamp.time > dead.time)) return null;
    if (!known && this.#rows.size >= this.#maxRows) return null;
    this.#dead.delete(id);
    this.#touched?.add(id);
    return this.#put(message, stamp);
  }

  /**
   * beginLoad announces that the page is being read (again). Messages may still be
   * applied.
   */
  beginLoad() {
    this.#touched = new Set();
  }

  /** abandonLoad reports that the read announced by beginLoad has failed. */
  abandonLoad() {
    this.#touched = null;
  }

  /**
   * load replaces the rows by those that were read, except for rows that messages
   * have changed since beginLoad.
   *
   * @param {object[]} rows
   * @returns {object[]} the changes, as apply returns them
   */
  load(rows) {
    const touched = this.#touched ?? new Set();
    this.#touched = null;
    const changes = [];
    const listed = new Set();
    for (const row of rows) {
      listed.add(row.id);
      const stamp = { time: parseTime(row.at), offset: 0 };
      const known = this.#rows.get(row.id);
      const dead = this.#dead.get(row.id);
      if (dead && !(stamp.time > dead.time)) continue; // read before it was deleted
      if (known && compare(stamp, known) < 0) continue;
      if (!known && this.#rows.size >= this.#maxRows) continue;
      this.#dead.delete(row.id);
      const change = this.#put(row, stamp);
      if (change) changes.push(change);
    }
    for (const [id, entry] of this.#rows) {
      if (listed.has(id) || touched.has(id)) continue;
      this.#rows.delete(id);
      changes.push({ type: REMOVE, id, row: entry.row, changed: [] });
    }
    return changes;
  }

  // What a message leaves out keeps its value: not every format of a
  // notification carries every column.
  #put(message, stamp) {
    const { id } = message;
    const before = this.#rows.get(id)?.row;
    const row = { ...before, ...message, data: { ...before?.data, ...message.data } };
    this.#rows.set(id, { row, ...stamp });
    if (!before) return { type: INSERT, id, row, changed: [] };
    const changed = MEMBERS.filter((name) => !same(before[name], row[name]));
    for (const column of Object.keys(row.data)) {
      if (!same(before.data[column], row.data[column])) changed.push(column);
    }
    return changed.length > 0 ? { type: UPDATE, id, row, changed } : null;
  }

  #bury(id, time) {
    this.#dead.delete(id); // so that it is the youngest again
    this.#dead.set(id, { time });
    if (this.#dead.size > this.#maxDead) this.#dead.delete(this.#dead.keys().next().value);
  }
}

// A message without a readable time is ordered by its offset alone.
function parseTime(at) {
  const time = Date.parse(at);
  return Number.isNaN(time) ? null : time;
}

// compare is negative if a is older than b. Rows that were read have no offset, so
// only their time counts.
function compare(a, b) {
  const byOffset = a.offset - b.offset;
  if (a.time === null || b.time === null || a.time === b.time) return byOffset;
  const byTime = a.time - b.time;
  const contradicts = a.offset > 0 && b.offset > 0 && Math.sign(byTime) !== Math.sign(byOffset);
  return contradicts && Math.abs(byTime) > REORDERING ? byOffset : byTime;
}

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
