// Optional: a corner of the page tells what has come to rest.

const SETTLED = new Set(['ACTIVE', 'AVAILABLE', 'SUSPENDED', 'SHUTOFF', 'PAUSED', 'IN-USE']);

export class Toasts {
  #add;
  #told = new Map(); // id → status
  #keep;

  /**
   * @param {(type: string, text: string) => void} add shows a toast
   * @param {number} [keep] of how many resources the last word is remembered
   */
  constructor(add, keep = 500) {
    this.#add = add;
    this.#keep = keep;
  }

  /** hear is told each panel message. */
  hear(message) {
    const { id, action, task } = message;
    const name = message.name || id;
    if (action === 'delete') {
      if (this.#told.get(id) !== 'deleted') this.#add('info', `${name}: deleted`);
      this.#remember(id, 'deleted');
      return;
    }
    const status = String(message.status ?? '').toUpperCase();
    if (task || this.#told.get(id) === status) return;
    const failed = status.includes('ERROR');
    if (!failed && !SETTLED.has(status)) return;
    this.#remember(id, status);
    const word = status.toLowerCase();
    this.#add(failed ? 'error' : 'success', `${name}: ${failed && message.error ? message.error : word}`);
  }

  #remember(id, status) {
    this.#told.delete(id);
    this.#told.set(id, status);
    if (this.#told.size > this.#keep) this.#told.delete(this.#told.keys().next().value);
  }
}
