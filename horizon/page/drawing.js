// Draws servers' rows from their messages. We draw some cells at once; a moment later
// Horizon draws the whole row from the message, actions included, without asking a
// service. Cells that the message does not cover keep their content.
//
// Rows that are due at the same time share one request; at most one is in flight.

import { addressesOf, onlyHorizonKnows, paint } from './payload.js';

const ROWS_MAX = 20; // of one request, as Horizon's side has it
// Rows due within this time of each other are drawn together.
const TOGETHER_MS = 50;
const MEMBERS = ['id', 'name', 'status', 'task', 'project_id', 'user_id'];
const COLUMNS = ['addresses', 'key_name', 'availability_zone', 'power_state', 'locked', 'created_at', 'host'];

export class Drawing {
  #table;
  #window;
  #backend;
  #known;
  #ask;
  #due = new Map(); // id → when
  #timer = 0;
  #underWay = null; // ids that Horizon is drawing, of which nothing newer is known

  /**
   * @param {LegacyTable} table
   * @param {Window} window
   * @param {object} backend
   * @param {(rows: object[]) => Promise<Object<string, string|null>|null>} backend.draw
   *   has Horizon draw rows; null if it does not
   * @param {() => boolean} backend.isEnglish whether Horizon's language is payload.js's
   * @param {(id: string) => object|undefined} known what is known about a row
   * @param {(id: string) => void} ask fetches a row
   */
  constructor(table, window, backend, known, ask) {
    this.#table = table;
    this.#window = window;
    this.#backend = backend;
    this.#known = known;
    this.#ask = ask;
  }

  /**
   * take draws a message's words into its row now, and has Horizon draw the row within ms.
   *
   * @returns {boolean} false if only fetching the row will do
   */
  take(row, message, changed, before, ms) {
    const isTold = !onlyHorizonKnows(row, message, changed, before);
    if (this.#backend.isEnglish()) paint(row, message);
    if (!isTold) return false;
    const { id } = message;
    this.#underWay?.delete(id);
    this.#table.forget(id);
    this.#due.set(id, Math.min(this.#due.get(id) ?? Infinity, Date.now() + ms));
    this.wake();
    return true;
  }

  /** drop forgets a row that is gone, or fetched. */
  drop(id) {
    this.#due.delete(id);
    this.#underWay?.delete(id);
    this.#table.forget(id);
  }

  /** wake handles what is due: at each change, and when the page becomes visible. */
  wake() {
    this.#window.clearTimeout(this.#timer);
    if (this.#due.size === 0 || this.#underWay || this.#window.document.hidden) return;
    const next = Math.min(...this.#due.values());
    this.#timer = this.#window.setTimeout(() => this.#draw(Math.max(next, Date.now())), Math.max(0, next - Date.now()));
  }

  async #draw(now) {
    const ids = [...this.#due].filter(([, at]) => at <= now + TOGETHER_MS).map(([id]) => id).slice(0, ROWS_MAX);
    ids.forEach((id) => this.#due.delete(id));
    const there = ids.filter((id) => this.#table.row(id));
    there.filter((id) => !this.#known(id)).forEach((id) => this.#ask(id)); // forgotten, of very many
    const rows = there.filter((id) => this.#known(id)).map((id) => told(this.#known(id), this.#table.row(id)));
    if (rows.length > 0) {
      this.#underWay = new Set(rows.map(({ id }) => id));
      const drawn = await this.#backend.draw(rows).catch(() => null);
      const ended = this.#underWay;
      this.#underWay = null;
      for (const id of ended) this.#put(id, drawn?.[id]);
    }
    this.wake();
  }

  #put(id, html) {
    if (!this.#table.row(id)) return;
    const drawn = html ? this.#table.draw(id, html) : null;
    if (!drawn) this.#ask(id);
    else if (!drawn.actions) drawn.rows.forEach((row) => this.#freshen(id, row));
  }

  // If the message is not enough to know the actions, they are fetched when somebody
  // points at the row or reaches it by keyboard.
  #freshen(id, row) {
    if (row.dataset.realtimeStale) return;
    row.dataset.realtimeStale = 'true';
    const reached = () => {
      if (!row.dataset.realtimeStale) return;
      delete row.dataset.realtimeStale;
      this.#ask(id);
    };
    for (const event of ['pointerenter', 'focusin']) row.addEventListener(event, reached, { once: true });
  }
}

// What Horizon's side needs to know.
function told(message, row) {
  const some = (from, names) => Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
  return { ...some(message, MEMBERS), data: some(message.data, COLUMNS), shown: addressesOf(row) };
}
