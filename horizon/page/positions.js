// Where the router's log stood, and when this browser knew.
//
// A page asks for a ticket after it was rendered, so the ticket's position
// is too late: what happened in between would be lost. A position
// noted by an earlier page, before this one was asked for, is early enough.
// Offsets are the same for all channels, so any page's position works.

const KEY = 'horizon-realtime.positions';
const KEEP = 32;
const APART_MS = 1000;

export class Positions {
  #storage;
  #last = 0;

  /** @param {Storage} storage localStorage, so that tabs share it */
  constructor(storage) {
    this.#storage = storage;
  }

  /** note records that the log has reached this offset by `now` (in ms). */
  note(epoch, offset, now) {
    if (!epoch || now - this.#last < APART_MS) return;
    this.#last = now;
    const entries = this.#read().filter((entry) => entry.epoch === epoch && entry.at <= now);
    entries.push({ epoch, offset, at: now });
    try {
      this.#storage?.setItem(KEY, JSON.stringify(entries.slice(-KEEP)));
    } catch {
      // Full or forbidden: pages start from their ticket's position.
    }
  }

  /** before finds the latest position of this epoch noted before a time. */
  before(time, epoch) {
    const entry = this.#read().findLast((e) => e.at < time && e.epoch === epoch);
    return entry ? { epoch: entry.epoch, offset: entry.offset } : null;
  }

  #read() {
    try {
      const entries = JSON.parse(this.#storage?.getItem(KEY) ?? '[]');
      return Array.isArray(entries) ? entries.filter((e) => Number.isSafeInteger(e?.offset) && typeof e.epoch === 'string') : [];
    } catch {
      return [];
    }
  }
}
