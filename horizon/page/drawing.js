// Has rows of servers drawn from their messages: cells at once, here; the whole row
// a moment later by Horizon, which draws it from the message, its actions and all,
// without asking a service. What the message does not tell, the row keeps.
//
// Rows that are due at the same time are one request; at most one is under way.

import { addressesOf, onlyHorizonKnows, paint } from './payload.js';

const ROWS_MAX = 20; // of one request, as Horizon's side has it
// What is due so soon after another row is drawn with it.
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
   *   has Horizon draw rows; null where it does not
   * @param {() => boolean} backend.isEnglish whether Horizon speaks as payload.js does
   * @param {(id: string) => object|undefined} known what has been told of a row
   * @param {(id: string) => void} ask has a row fetched
   */
  constructor(table, window, backend, known, ask) {
    this.#table = table;
    this.#window = window;
    this.#backend = backend;
    this.#known = known;
    this.#ask = ask;
  }

  /**
   * take draws a message's words into its row now, and has the row drawn within ms.
   *
   * @returns {boolean} false where only Horizon's own reading will do
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

  /** wake sees to what is due: at each change, and when somebody looks again. */
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

  // Where the message does not tell enough for the actions, whoever points at the
  // row, or comes to it by the keyboard, gets them.
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

// What Horizon's side wants to know.
function told(message, row) {
  const some = (from, names) => Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
  return { ...some(message, MEMBERS), data: some(message.data, COLUMNS), shown: addressesOf(row) };
}
