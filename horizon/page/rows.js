// Keeps one Django table current: decides what to ask Horizon for, and when.
//
// In: panel messages of the table's topic. Out: rows drawn from them (drawing.js), and
// requests for single rows, at most one in flight per row; if many rows change at
// once, one request for the page. While nobody looks at the page, no requests.

import { PanelTable } from '../js/panel-table.js';
import { Drawing } from './drawing.js';
import { addressesOf } from './payload.js';

// Messages about a row within this time share one request. A row that has begun to
// change has often settled before Horizon could draw it; a row that goes from task
// to task is drawn now and then.
const GATHER_MS = 60;
const BEGINNING_MS = 300;
const PASSING_MS = 2000;
// More rows than this at once are cheaper as one page.
const MANY = 4;
// Horizon may be unavailable, for example while it is redeployed. A failed request is
// retried after this time, then after twice as long, and so on, for half a minute.
const RETRY_MS = 2000;
const TRIES = 5;
// A row in transition about which nothing is heard is requested after this time,
// then after three times as long, and so on: its service may send nothing.
const QUIET_MS = 30_000;
const QUIET_MAX_MS = 300_000;
// How many rows' newest message is remembered, to ignore duplicates.
const REMEMBER = 2000;

export class TableSync {
  #table;
  #kind;
  #backend;
  #window;
  #seen = new PanelTable({ rows: REMEMBER, tombstones: REMEMBER });
  #asked = new Map(); // id → {timer, due, inFlight, again, tries}
  #quiet = new Map(); // id of a row under way → {since, wait}
  #drifted = 0;
  #unseen = new Set(); // ids that changed while the page was hidden, or that could not be had
  #reading = null;
  #stale = false; // the page is to be read when somebody looks at it
  #newer = null; // id → whether it is gone: what was heard since the page's request went out
  #readAgain = false;
  #drawing = null;

  /**
   * @param {LegacyTable} table
   * @param {object} kind of KINDS
   * @param {object} backend
   * @param {(url: string) => Promise<{status: number, html: string}>} backend.row
   * @param {() => Promise<Document|null>} backend.page reads this page again
   * @param {(rows: object[]) => Promise<object|null>} backend.draw and isEnglish, as
   *   Drawing wants them; isDrawn reports whether rows are drawn from their messages
   * @param {Window} window
   */
  constructor(table, kind, backend, window) {
    this.#table = table;
    this.#kind = kind;
    this.#backend = backend;
    this.#window = window;
    if (kind.drawn && kind.home.test(window.location.pathname)) this.#drawing = new Drawing(table, window, backend, (id) => this.#seen.get(id), (id) => this.ask(id));
    window.document.addEventListener('visibilitychange', () => this.#onVisible());
  }

  get table() {
    return this.#table;
  }

  /** hear takes a panel message. */
  hear(message, { offset } = {}) {
    if (message?.v !== 1 || typeof message.id !== 'string') return;
    if (this.#seen.size >= REMEMBER) this.#seen = new PanelTable({ rows: REMEMBER, tombstones: REMEMBER });
    const { id } = message;
    const before = this.#seen.get(id);
    const change = this.#seen.apply(message, offset);
    this.#quiet.delete(id);
    if (change || message.action === 'delete') this.#newer?.set(id, message.action === 'delete');
    if (message.action === 'delete') {
      this.#forget(id);
      this.#table.remove(id, () => this.#onRemoved());
      return;
    }
    if (!change) return;
    const row = this.#table.row(id);
    if (!row && !this.#belongs(message)) return;
    const wait = patience(message, before);
    // A row that is being fetched will be older than this message when it arrives.
    const isDrawn = row && !this.#asked.has(id) && this.#backend.isDrawn?.() && this.#drawing?.take(row, change.row, change.changed, before, wait);
    if (!isDrawn) this.ask(id, wait);
  }

  /**
   * hearFloating takes a panel message about a floating IP, and fetches rows that show
   * its server's address without the floating one, or the floating one without that.
   */
  hearFloating(message) {
    if (message?.v !== 1) return;
    const floating = message.name;
    const fixed = message.action === 'delete' ? null : message.data?.fixed_ip_address;
    for (const row of this.#table.rows()) {
      const shown = addressesOf(row) ?? [];
      if (shown.includes(fixed) !== shown.includes(floating)) this.ask(row.dataset.objectId);
    }
  }

  /** ask fetches a row within ms milliseconds, unless a request is in flight. */
  ask(id, ms = GATHER_MS) {
    this.#drawing?.drop(id);
    if (this.#window.document.hidden) {
      this.#unseen.add(id);
      return;
    }
    if (!this.#kind.single || (this.#table.isEmpty && !this.#table.row(id))) {
      this.read();
      return;
    }
    const asked = this.#asked.get(id) ?? { timer: 0, due: 0, inFlight: false, again: Infinity, tries: 0 };
    this.#asked.set(id, asked);
    if (this.#asked.size > MANY) {
      for (const [other, { timer, inFlight }] of this.#asked) {
        this.#window.clearTimeout(timer);
        if (inFlight) continue;
        this.#asked.delete(other);
        this.#unseen.add(other);
      }
      this.read();
      return;
    }
    if (asked.inFlight) asked.again = Math.min(asked.again, ms);
    else this.#schedule(id, asked, ms);
  }

  #schedule(id, asked, ms) {
    const due = Date.now() + ms;
    if (asked.timer && asked.due <= due) return;
    this.#window.clearTimeout(asked.timer);
    asked.due = due;
    asked.timer = this.#window.setTimeout(() => this.#fetch(id, asked), ms);
  }

  /** read reads the page again, once somebody looks at it, and updates the table from it. */
  async read() {
    this.#stale = this.#window.document.hidden;
    if (this.#stale) return undefined;
    if (this.#reading) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => { this.#reading = null; });
    return this.#reading;
  }

  /** reconcile fetches what may have changed without a message; called often. */
  reconcile(now = Date.now()) {
    if (this.#window.document.hidden) return;
    if (this.#kind.drifts) {
      if (now - (this.#drifted ||= now) < QUIET_MAX_MS) return;
      this.#drifted = now;
      this.read();
      return;
    }
    const ids = new Set(this.#underWay());
    for (const id of this.#quiet.keys()) if (!ids.has(id)) this.#quiet.delete(id);
    for (const id of ids) {
      const quiet = this.#quiet.get(id) ?? { since: now, wait: QUIET_MS };
      this.#quiet.set(id, quiet);
      if (now - quiet.since < quiet.wait) continue;
      quiet.since = now;
      quiet.wait = Math.min(quiet.wait * 3, QUIET_MAX_MS);
      this.ask(id);
    }
  }

  // Horizon also polls rows that wait for their user, although no service is at work.
  #underWay() {
    const { waiting } = this.#kind;
    return this.#table.inTransition().filter((row) => !waiting || !row.querySelector(waiting)).map((row) => row.dataset.objectId);
  }

  async #read() {
    let failures = 0;
    do {
      this.#readAgain = false;
      const wait = failures > 0 ? pause(failures) : GATHER_MS;
      await new Promise((resolve) => { this.#window.setTimeout(resolve, wait); });
      const unseen = [...this.#unseen];
      const newer = this.#newer = new Map();
      const page = await this.#backend.page().catch(() => null);
      this.#newer = null;
      if (page && this.#load(page, newer)) {
        failures = 0;
        unseen.filter((id) => !newer.has(id)).forEach((id) => this.#unseen.delete(id));
      } else if (++failures < TRIES) this.#readAgain = true;
      else failures -= 1; // who asks once more waits as long
    } while (this.#readAgain);
  }

  // Messages that arrived while the page was in flight are newer than it and already
  // handled, except for rows that only the page contains.
  #load(page, newer) {
    const brought = [...newer].filter(([id, isGone]) => !isGone && !this.#table.row(id)).map(([id]) => id);
    if (!this.#table.load(page, newer)) return false;
    for (const id of brought) if (this.#table.row(id) && !this.#asked.has(id)) this.ask(id);
    return true;
  }

  async #fetch(id, asked) {
    asked.timer = 0;
    asked.inFlight = true;
    const { status, html } = await this.#backend.row(this.#table.rowURL(id)).catch(() => ({ status: 0, html: '' }));
    asked.inFlight = false;
    if (this.#asked.get(id) !== asked) return; // deleted meanwhile
    if (status === 200) this.#table.put(id, html, { add: true });
    else if (status === 404) {
      this.#newer?.set(id, true);
      this.#table.remove(id, () => this.#onRemoved());
    } else if (status !== 401) {
      asked.tries += 1;
      if (asked.tries < TRIES) {
        this.#schedule(id, asked, pause(asked.tries));
        return;
      }
      this.#unseen.add(id);
    }
    this.#asked.delete(id);
    if (asked.again < Infinity) this.ask(id, asked.again);
  }

  #forget(id) {
    this.#window.clearTimeout(this.#asked.get(id)?.timer);
    this.#asked.delete(id);
    this.#unseen.delete(id);
    this.#drawing?.drop(id);
  }

  // A missing row is added only on the page that lists all of a project's rows. If there
  // are several pages, an older resource may belong to another one.
  #belongs({ action }) {
    const table = this.#table;
    return this.#kind.home?.test(this.#window.location.pathname) === true
      && table.isFirstPage && !table.isFiltered && (action === 'create' || !table.isPaged);
  }

  // A quota may have room again.
  #onRemoved() {
    const { document, horizon } = this.#window;
    if (document.querySelector('.btn-launch.disabled, .btn-create.disabled')) horizon.datatables.update_actions();
  }

  #onVisible() {
    if (this.#window.document.hidden) return;
    const ids = [...this.#unseen];
    if (this.#stale || ids.length > MANY) this.read();
    else {
      this.#unseen.clear();
      ids.forEach((id) => this.ask(id));
    }
    this.#drawing?.wake();
  }
}

// pause is how long to wait after this many failures.
function pause(failures) {
  return RETRY_MS * 2 ** (failures - 1);
}

// patience is how long a row may wait to be drawn.
function patience(message, before) {
  if (!message.task) return GATHER_MS;
  return before?.task ? PASSING_MS : BEGINNING_MS;
}
