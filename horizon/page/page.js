// What one of Horizon's pages does with panel messages: it finds the tables they
// concern, keeps those current, and shows whether it succeeds.

import { LIVE } from '../js/realtime.js';
import { AngularTable, digest, findAngularTables } from './angular.js';
import { Indicator } from './indicator.js';
import { KINDS, topicOfTable, topicOfType } from './kinds.js';
import { LegacyTable } from './legacy.js';
import { Polling } from './polling.js';
import { TableSync } from './rows.js';
import { post } from './ticket.js';
import { tell } from './toasts.js';

// How often tables check whether they have heard nothing for too long.
const RECONCILE_MS = 5000;
const LOOK_MS = 1000;
// Angular draws its tables after the page has loaded.
const LOOKS = 10;
// Horizon needs seconds for a page of many servers; its proxies wait a minute.
const PAGE_MS = 60_000;
// After this many consecutive answers without a row we stop asking: the deployment has
// its own table, which Horizon cannot draw from a message.
const UNDRAWN = 3;

export class Page {
  #window;
  #bus;
  #polling;
  #indicator = null;
  #toasting = false;
  #undrawn = 0;
  #synced = new Map(); // element → {topic, scopes, sync}

  /**
   * @param {Window} window
   * @param {Bus} bus
   */
  constructor(window, bus) {
    this.#window = window;
    this.#bus = bus;
    this.#polling = new Polling(window.horizon.datatables, () => this.#coversAll());
  }

  /** start finds tables, now and as they appear. */
  start() {
    const { horizon } = this.#window;
    this.#look();
    horizon.tabs?.addTabLoadFunction?.(() => this.#look());
    let looks = 0;
    const timer = this.#window.setInterval(() => {
      this.#look();
      if (++looks >= LOOKS) this.#window.clearInterval(timer);
    }, LOOK_MS);
    this.#window.setInterval(() => this.#reconcile(), RECONCILE_MS);
  }

  #look() {
    const { document } = this.#window;
    for (const element of document.querySelectorAll('table.datatable[id]')) {
      const topic = topicOfTable(element.id);
      if (topic && !this.#synced.has(element)) this.#follow(element, topic, this.#syncLegacy(element, topic));
    }
    for (const [element, type] of findAngularTables(this.#window)) {
      const topic = topicOfType(type);
      if (topic && !this.#synced.has(element)) this.#follow(element, topic, new AngularTable(element, type, this.#window));
    }
  }

  #follow(element, topic, sync) {
    const followed = { topic, scopes: this.#scopes(topic), sync };
    this.#synced.set(element, followed);
    const handlers = {
      onMessage: (message, context) => {
        if (element.isConnected) sync.hear(message, context);
      },
      onReload: () => sync.read(),
    };
    for (const scope of followed.scopes) {
      this.#bus.listen(topic, handlers, scope);
      // A server's messages do not mention its floating IPs.
      if (KINDS[topic].addressed && sync.hearFloating) this.#bus.listen('floating_ips', { onMessage: (message) => sync.hearFloating(message) }, scope);
    }
    if (!this.#indicator) this.#show();
    sync.follow?.(this.#isTold(followed));
  }

  #syncLegacy(element, topic) {
    return new TableSync(new LegacyTable(element, this.#window), KINDS[topic], this, this.#window);
  }

  #show() {
    this.#indicator = new Indicator(this.#window.document, this.#window.gettext);
    let before = this.#bus.status;
    this.#bus.watch((status) => {
      this.#indicator.show(status);
      if (status === LIVE) this.#listenForToasts();
      for (const followed of this.#synced.values()) followed.sync.follow?.(this.#isTold(followed));
      if (before === LIVE && status !== LIVE) this.#polling.resume();
      before = status;
    });
  }

  // Polling is unnecessary if every row in transition is in a table that hears
  // about its changes.
  #coversAll() {
    const rows = this.#window.document.querySelectorAll('tr.warning.ajax-update');
    return [...rows].every((row) => {
      const followed = this.#synced.get(row.closest('table'));
      return followed !== undefined && this.#isTold(followed);
    });
  }

  // isTold reports whether a table can do without polling.
  #isTold({ topic, scopes }) {
    return !KINDS[topic].unsure && this.#bus.hears(topic, scopes[0]);
  }

  #reconcile() {
    for (const followed of this.#synced.values()) {
      const told = this.#isTold(followed);
      followed.sync.follow?.(told);
      if (told) followed.sync.reconcile();
    }
  }

  // Admins' pages list all projects.
  #scopes(topic) {
    return this.#isAdmins() ? ['admin'] : KINDS[topic].scopes ?? ['project'];
  }

  #isAdmins() {
    const { WEBROOT = '/', location } = this.#window;
    return location.pathname.startsWith(`${WEBROOT}admin/`);
  }

  /** isDrawn reports whether rows are drawn from their messages. */
  isDrawn() {
    return this.#bus.ticket.mode === 'payload' && this.#undrawn < UNDRAWN;
  }

  isEnglish() {
    return /^en\b/.test(this.#bus.ticket.language);
  }

  /** draw has Horizon draw rows from their messages. */
  async draw(rows) {
    const dashboard = this.#isAdmins() ? 'admin' : 'project';
    const response = await post(this.#window, 'rows', { dashboard, query: this.#window.location.search, rows });
    if (response.status === 404) this.#undrawn = UNDRAWN; // not here, or not for this user
    if (!response.ok) return null;
    const { rows: drawn } = await response.json();
    this.#undrawn = Object.values(drawn).some((html) => html) ? 0 : this.#undrawn + 1;
    return drawn;
  }

  #listenForToasts() {
    if (this.#toasting || !this.#bus.ticket.toasts) return;
    this.#toasting = true;
    const { horizon } = this.#window;
    this.#bus.listen('toasts', {
      onMessage: (message) => tell(message, (type, text) => digest(this.#window, () => horizon.toast.add(type, text))),
    }, 'user');
  }

  /** row asks Horizon for one row, in its queue of requests. */
  row(url) {
    const { horizon } = this.#window;
    return new Promise((resolve) => {
      horizon.ajax.queue({ url, dataType: 'html', timeout: PAGE_MS }).then(
        (html) => resolve({ status: 200, html }),
        (xhr) => resolve({ status: xhr.status, html: '' }),
      );
    });
  }

  /** page reads this page again; null if that fails. */
  async page() {
    const { location, fetch, DOMParser } = this.#window;
    const response = await fetch.call(this.#window, location.href, { credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(PAGE_MS) });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), 'text/html');
  }
}
