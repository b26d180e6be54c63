// Horizon's own polling, off while the page is live.
//
// horizon.datatables.update fetches each row in transition and sets a timer for
// the next round. We replace it by a function that does nothing while every
// such row is in a live table. When polling resumes, a round that was still
// scheduled is ignored, so there is never more than one chain of timers.

// Rounds are further apart than this. A round that was running when a new chain
// began would continue as part of that chain; we end it.
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

  // A timer holds the function that was current when it was set, so each chain
  // gets its own function.
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
