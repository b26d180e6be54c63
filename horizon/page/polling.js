// Horizon's own polling, off while the page is live.
//
// horizon.datatables.update fetches each row in transition and sets a timer for
// its next round. Here it is replaced by a function that does nothing while every
// such row is in a table that is live. A round that was to come is forgotten when
// polling comes back, so that there is never more than one chain of timers.

// Rounds are further apart than this. A round that was under way when a new chain
// began goes on as part of that chain; it ends here.
const APART_MS = 1000;

export class Polling {
  #datatables;
  #original;
  #isCovered;
  #chain = 0;
  #last = -Infinity;

  /**
   * @param {object} datatables horizon.datatables
   * @param {() => boolean} isCovered tells whether all rows in transition are
   *   kept current without polling
   */
  constructor(datatables, isCovered) {
    this.#datatables = datatables;
    this.#original = datatables.update;
    this.#isCovered = isCovered;
    this.#install();
  }

  /** resume polls now, in a new chain, unless there is nothing to poll for. */
  resume() {
    this.#chain++;
    this.#last = -Infinity;
    this.#install();
    this.#datatables.update();
  }

  // Timers hold the function that was there when they were set, so each chain
  // gets a function of its own.
  #install() {
    const chain = this.#chain;
    this.#datatables.update = () => {
      const now = Date.now();
      if (chain !== this.#chain || this.#isCovered() || now - this.#last < APART_MS) return;
      this.#last = now;
      this.#original.call(this.#datatables);
    };
  }
}
