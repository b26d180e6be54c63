// What a page of Horizon does with panel messages: it finds the tables that they
// are about, keeps those current, and shows whether it does.

import { LIVE } from '../js/realtime.js';
import { AngularTable, findAngularTables } from './angular.js';
import { Indicator } from './indicator.js';
import { KINDS, topicOfTable, topicOfType } from './kinds.js';
import { LegacyTable } from './legacy.js';
import { painter } from './payload.js';
import { Polling } from './polling.js';
import { TableSync } from './rows.js';
import { Toasts } from './toasts.js';

// Rows in transition, and what services change without telling.
const RECONCILE_MS = 300_000;
const LOOK_MS = 1000;
// Angular draws its tables after the page has loaded.
const LOOKS = 10;

export class Page {
  #window;
  #bus;
  #polling;
  #indicator = null;
  #synced = new Map(); // element → {topic, sync, polled}
  #toasts = null;

  /**
   * @param {Window} window
   * @param {Bus} bus
   */
  constructor(window, bus) {
    this.#window = window;
    this.#bus = bus;
    this.#polling = new Polling(window.horizon.datatables, () => this.#coversAll());
  }

  /** start looks for tables, now and as they appear. */
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
      if (topic && !this.#synced.has(element)) this.#follow(element, topic, this.#syncLegacy(element, topic), true);
    }
    for (const [element, type] of findAngularTables(this.#window)) {
      const topic = topicOfType(type);
      if (topic && !this.#synced.has(element)) this.#follow(element, topic, new AngularTable(element, type, this.#window), false);
    }
  }

  #follow(element, topic, sync, polled) {
    const scope = this.#scope();
    this.#synced.set(element, { topic, sync, polled, scope });
    this.#bus.listen(topic, {
      onMessage: (message, context) => {
        if (!element.isConnected) return;
        sync.hear(message, context);
        this.#toast(message);
      },
      onReload: () => sync.read(),
    }, scope);
    if (!this.#indicator) this.#show();
    sync.follow?.(this.#bus.hears(topic, scope));
  }

  #syncLegacy(element, topic) {
    const sync = new TableSync(new LegacyTable(element, this.#window), KINDS[topic], this, this.#window, (row, message, changed) => {
      const { mode } = this.#bus.ticket;
      if (mode !== 'payload' || topic !== 'instances' || !/^en/.test(this.#window.horizon.languageCode ?? 'en')) return false;
      paint ??= painter((id) => sync.ask(id));
      return paint(row, message, changed);
    });
    let paint = null;
    return sync;
  }

  #show() {
    this.#indicator = new Indicator(this.#window.document, this.#window.gettext);
    let before = this.#bus.status;
    this.#bus.watch((status) => {
      this.#indicator.show(status);
      for (const { topic, scope, sync } of this.#synced.values()) sync.follow?.(this.#bus.hears(topic, scope));
      if (before === LIVE && status !== LIVE) this.#polling.resume();
      before = status;
    });
  }

  // Polling is needless where every row in transition is in a table that is
  // told of its changes.
  #coversAll() {
    const rows = this.#window.document.querySelectorAll('tr.warning.ajax-update');
    return [...rows].every((row) => {
      const synced = this.#synced.get(row.closest('table'));
      return synced !== undefined && this.#bus.hears(synced.topic, synced.scope);
    });
  }

  #reconcile() {
    for (const { topic, scope, sync } of this.#synced.values()) if (this.#bus.hears(topic, scope)) sync.reconcile();
  }

  // Admins' pages list all projects.
  #scope() {
    const { WEBROOT = '/', location } = this.#window;
    return location.pathname.startsWith(`${WEBROOT}admin/`) ? 'admin' : 'project';
  }

  #toast(message) {
    if (!this.#bus.ticket?.toasts) return;
    this.#toasts ??= new Toasts((type, text) => {
      const { horizon } = this.#window;
      if (horizon.toast) horizon.toast.add(type, text);
      else horizon.alert(type, text);
    });
    this.#toasts.hear(message);
  }

  /** row asks Horizon for one row, in its queue of requests. */
  row(url) {
    const { horizon } = this.#window;
    return new Promise((resolve) => {
      horizon.ajax.queue({ url, dataType: 'html' }).then(
        (html) => resolve({ status: 200, html }),
        (xhr) => resolve({ status: xhr.status, html: '' }),
      );
    });
  }

  /** page reads this page again; null where it is not to be had. */
  async page() {
    const { location, fetch, DOMParser } = this.#window;
    const response = await fetch.call(this.#window, location.href, { credentials: 'same-origin', cache: 'no-store' });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), 'text/html');
  }
}
