// The word in the page's header that says whether the page follows by itself.

import { LIVE, OFF, RECONNECTING } from '../js/realtime.js';

const LOOKS = {
  [LIVE]: ['text-success', 'Live', 'Changes appear on this page by themselves.'],
  [RECONNECTING]: ['text-warning', 'Reconnecting…', 'Changes do not appear by themselves at the moment.'],
  [OFF]: ['text-muted', 'Not live', 'Reload the page to see changes.'],
};

export class Indicator {
  #item;
  #status = '';
  #gettext;

  /**
   * @param {Document} document
   * @param {(text: string) => string} gettext Horizon's
   */
  constructor(document, gettext = (text) => text) {
    this.#gettext = gettext;
    const bar = document.querySelector('.navbar .navbar-right');
    if (!bar) return;
    this.#item = document.createElement('li');
    this.#item.className = 'realtime-state';
    // Themes align only links in this bar. This one leads nowhere and takes no
    // focus. Screen readers announce the status when it changes.
    const state = document.createElement('a');
    state.setAttribute('role', 'status');
    const dot = document.createElement('span');
    dot.setAttribute('aria-hidden', 'true');
    state.append(dot, document.createTextNode(''));
    this.#item.append(state);
    bar.prepend(this.#item);
  }

  /** show shows one of LIVE, RECONNECTING and OFF. */
  show(status) {
    if (!this.#item || status === this.#status) return;
    this.#status = status;
    const [tone, word, title] = LOOKS[status];
    const state = this.#item.firstChild;
    this.#item.dataset.status = status;
    state.title = this.#gettext(title);
    state.firstChild.className = `fa fa-circle ${tone}`;
    state.lastChild.data = this.#gettext(word);
  }
}
