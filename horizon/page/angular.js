// Horizon's Angular tables: after a change the list is read again, once for all changes
// within a second. Polling stops while the page is live.

const GATHER_MS = 1000;
const RECONCILE_MS = 300_000;

export class AngularTable {
  #element;
  #window;
  #type;
  #interval = null;
  #timer = 0;
  #stale = false;
  #reconciled = 0;

  /**
   * @param {Element} element hz-resource-table
   * @param {string} type such as OS::Glance::Image
   */
  constructor(element, type, window) {
    this.#element = element;
    this.#type = type;
    this.#window = window;
    window.document.addEventListener('visibilitychange', () => {
      if (this.#stale) this.read();
    });
  }

  get element() {
    return this.#element;
  }

  /** hear takes a panel message. */
  hear(message) {
    if (message?.v !== 1 || typeof message.id !== 'string') return;
    if (message.action === 'delete') this.#drop(message.id);
    this.read(); // after a deletion too: a list that is under way may still have it
  }

  /** read reads the list again, soon. */
  read() {
    this.#stale = this.#window.document.hidden;
    if (this.#stale || this.#timer) return;
    this.#timer = this.#window.setTimeout(() => {
      this.#timer = 0;
      this.#act({ updated: [{ type: this.#type, id: '' }] });
    }, GATHER_MS);
  }

  /** reconcile rereads now and then what may have changed without a message; called often. */
  reconcile(now = Date.now()) {
    if (now - (this.#reconciled ||= now) < RECONCILE_MS) return;
    this.#reconciled = now;
    this.read();
  }

  /** follow sets whether the page is live and therefore need not poll; called often. */
  follow(live) {
    const controller = this.#controller();
    if (!controller) return;
    if (live && controller.ajaxPollInterval) { // Horizon sets it once more when it has read its settings
      this.#interval = controller.ajaxPollInterval;
      controller.ajaxPollInterval = 0;
    } else if (!live && this.#interval !== null) {
      controller.ajaxPollInterval = this.#interval;
      this.#interval = null;
      digest(this.#window, () => {}); // the table looks for items in transition
    }
  }

  // Horizon's own way to remove an item also clears the user's selection, so we
  // use it only if the item was selected.
  #drop(id) {
    const controller = this.#controller();
    const item = controller?.itemsSrc.find((listed) => listed.id === id);
    if (!item) return;
    const inner = this.#element.querySelector('[hz-table]');
    if (inner && this.#window.angular.element(inner).controller('hzTable')?.isSelected(item)) this.#act({ deleted: [{ type: this.#type, id }] });
    else digest(this.#window, () => { controller.itemsSrc = controller.itemsSrc.filter((listed) => listed.id !== id); });
  }

  // act tells the table what happened, as one of Horizon's actions would.
  #act(result) {
    const controller = this.#controller();
    if (controller) digest(this.#window, () => controller.actionResultHandler({ created: [], updated: [], deleted: [], failed: [], ...result }));
  }

  #controller() {
    return this.#window.angular?.element(this.#element).controller('hzResourceTable');
  }
}

/** digest runs act inside an Angular digest, so that Angular sees the changes. */
export function digest({ angular, document }, act) {
  angular.element(document.body).injector().get('$rootScope').$applyAsync(act);
}

/** findAngularTables lists a page's Angular tables as [element, type]. */
export function findAngularTables(window) {
  const { angular, document } = window;
  if (!angular) return [];
  return [...document.querySelectorAll('hz-resource-table')].map((element) => {
    const controller = angular.element(element).controller('hzResourceTable');
    return [element, controller?.resourceTypeName ?? ''];
  }).filter(([, type]) => type !== '');
}
