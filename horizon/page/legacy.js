// A Django table in the page: puts rows in, takes rows out, and keeps everything around
// them right. It knows Horizon's markup and its horizon.datatables; it fetches nothing.

const CHANGED_MS = 2000;
const REMOVED_MS = 600;
// Marks a cell of a drawn row that should stay as it is on the page.
const KEEP = 'data-realtime-keep';

// Parts of a row's HTML that differ each time without meaning anything: ids of
// checkboxes, relative times, where to go after an action, and the order of class names,
// which differs between Horizon's processes.
const NOISE = [
  [/<td class="multi_select_column">.*?<\/td>/s, ''],
  [/<span data-seconds="[^"]*">[^<]*<\/span>/g, ''],
  [/([?&]|&amp;)next=[^"&]*/g, ''],
  [/ class="([^"]*)"/g, (_, names) => ` class="${names.trim().split(/\s+/).sort().join(' ')}"`],
  [/\s+/g, ' '],
];

export class LegacyTable {
  #element;
  #window;
  #waiting = new Map(); // id → what to do once the user has let go of the row

  /**
   * @param {HTMLTableElement} element
   * @param {Window} window with Horizon's `horizon` and jQuery's `$`
   */
  constructor(element, window) {
    this.#element = element;
    this.#window = window;
    this.#$().on('hidden.bs.dropdown', () => this.#window.setTimeout(() => this.#settle(), 0));
  }

  /** id is Horizon's name for the table. */
  get id() {
    return this.#element.id;
  }

  get element() {
    return this.#element;
  }

  /** row finds the row of a resource. */
  row(id) {
    return this.#window.document.getElementById(`${this.id}__row__${id}`);
  }

  /** rows lists the rows that show a resource. */
  rows() {
    return [...this.#element.querySelectorAll('tbody > tr[data-object-id]')];
  }

  /** inTransition lists the rows that Horizon would poll. */
  inTransition() {
    return this.rows().filter((row) => row.matches('.warning.ajax-update'));
  }

  /** isEmpty reports whether the page was rendered without a row. */
  get isEmpty() {
    return !this.#element.tFoot;
  }

  /** isFiltered reports whether the user asked the server to leave rows out. */
  get isFiltered() {
    return [...this.#element.querySelectorAll('.table_search:not(.client) input[type="text"]')].some((input) => input.defaultValue !== '');
  }

  /** isPaged reports whether there are other pages. */
  get isPaged() {
    return this.#element.querySelector('tfoot a[href^="?"]') !== null;
  }

  /** isFirstPage reports whether new rows belong on this page. */
  get isFirstPage() {
    const query = new URLSearchParams(this.#window.location.search);
    return ![...query].some(([name, value]) => value !== '' && (/marker$/.test(name) || (name === 'page' && value !== '1')));
  }

  /** rowURL is the URL at which Horizon draws one row. */
  rowURL(id) {
    const known = this.#element.querySelector('tbody > tr[data-update-url]')?.dataset.updateUrl;
    const url = new URL(known ?? this.#window.location.pathname, this.#window.location.href);
    url.searchParams.set('action', 'row_update');
    url.searchParams.set('table', this.id);
    url.searchParams.set('obj_id', id);
    return url.pathname + url.search;
  }

  /**
   * put replaces a resource's row by the given HTML, or adds it.
   *
   * @param {string} id
   * @param {string|Element} html the row, with any markup around it
   * @param {object} [options]
   * @param {boolean} [options.add] whether to add the row if it is not there
   * @param {string} [options.after] id of the row before a new one; without it
   *   a new row goes first
   * @returns {boolean} whether the page has changed
   */
  put(id, html, { add = false, after } = {}) {
    const $new = this.#parse(html);
    if ($new.length !== 1 || $new.attr('data-object-id') !== id) return false;
    const old = this.row(id);
    if (!old && !add) return false;
    if (old && this.#isHeld(old)) {
      this.#waiting.set(id, () => this.put(id, html));
      return false;
    }
    this.#waiting.delete(id);
    this.#retarget($new);
    if (old && signature(old) === signature($new[0])) {
      old.querySelector('[data-seconds]')?.replaceWith($new[0].querySelector('[data-seconds]'));
      return false;
    }
    this.#progress($new);
    this.#keepFocus(() => {
      if (old) this.#replace(old, $new);
      else this.#insert($new, after);
      this.refreshSurroundings();
    });
    this.#mark(this.row(id), 'realtime-changed', CHANGED_MS);
    return true;
  }

  /**
   * draw replaces a row by the given HTML, except for cells marked as unknown, which
   * stay as they are.
   *
   * @returns {{actions: boolean, rows: Element[]}|null} whether the row's actions were
   *   known, and the row that is there now and the one that may replace it later;
   *   null if the HTML does not fit the table
   */
  draw(id, html) {
    const old = this.row(id);
    const [fresh] = this.#parse(html);
    if (!old || old.cells.length !== fresh?.cells.length) return null;
    let actions = true;
    [...fresh.cells].forEach((cell, n) => {
      if (!cell.hasAttribute(KEEP)) return;
      if (cell.classList.contains('actions_column')) actions = false;
      cell.replaceWith(old.cells[n].cloneNode(true));
    });
    this.put(id, fresh);
    return { actions, rows: [this.row(id), fresh] };
  }

  /** forget drops a row's pending replacement, because something newer is known. A pending deletion stays. */
  forget(id) {
    if (!this.row(id)?.classList.contains('realtime-removed')) this.#waiting.delete(id);
  }

  /** remove shows that a resource is gone, then removes its row. */
  remove(id, then = () => {}) {
    const row = this.row(id);
    if (!row || row.dataset.realtimeGone) return false;
    row.classList.add('realtime-removed');
    row.setAttribute('aria-disabled', 'true');
    if (this.#isHeld(row)) {
      this.#waiting.set(id, () => this.remove(id, then));
      return false;
    }
    row.dataset.realtimeGone = 'true';
    this.#waiting.delete(id);
    this.#window.setTimeout(() => {
      this.#keepFocus(() => {
        row.remove();
        this.#window.horizon.datatables.add_no_results_row(this.#$());
        this.refreshSurroundings();
      });
      then();
    }, REMOVED_MS);
    return true;
  }

  /**
   * load replaces the table's rows by those of a newly read page.
   *
   * @param {Document} page
   * @param {Map<string, boolean>} [newer] rows about which something newer than the page is
   *   known, and whether they are gone; they stay as they are
   * @returns {boolean} false if the page has no such table
   */
  load(page, newer = new Map()) {
    const fresh = page.getElementById(this.id);
    if (!fresh) return false;
    this.#adoptEnds(fresh);
    const listed = new Set();
    let previous = '';
    for (const row of fresh.querySelectorAll('tbody > tr[data-object-id]')) {
      const id = row.dataset.objectId;
      listed.add(id);
      if (newer.get(id)) continue;
      if (!newer.has(id) || !this.row(id)) this.put(id, row.outerHTML, { add: true, after: previous });
      previous = id;
    }
    for (const { dataset: { objectId: id } } of this.rows()) if (!listed.has(id) && !newer.has(id)) this.remove(id);
    return true;
  }

  /** refreshSurroundings updates what depends on the rows. */
  refreshSurroundings() {
    const { horizon } = this.#window;
    const tables = horizon.datatables;
    const $table = this.#$();
    const $parent = $table.parent();
    tables.add_table_checkboxes($parent);
    if (this.#element.config) $table.trigger('update'); // sorted as it was
    else tables.set_table_sorting($parent);
    tables.qs?.[this.id]?.cache();
    $table.find('div.table_filter button.active').trigger('click');
    tables.fix_row_striping($table);
    tables.update_footer_count($table, 0);
    if (this.rows().length === 0) $table.find('span.table_count').text(''); // newer Horizons count -1
    tables.update_header_checkbox($table);
    tables.validate_button($table.closest('form'));
  }

  #$() {
    return this.#window.$(this.#element);
  }

  // Horizon appends a comment to what it renders. Scripts are kept: a row's cells
  // may contain some, as they do when Horizon polls.
  #parse(html) {
    const { $, document } = this.#window;
    const nodes = typeof html === 'string' ? $.parseHTML(html.trim(), document, true) : [html];
    return $(nodes).filter('tr');
  }

  // A row is held while its menu is open, a cell is being edited, or an action
  // has been submitted.
  #isHeld(row) {
    return row.querySelector('.btn-group.open, .dropdown.open, .inline-edit-form') !== null
      || row.closest('form')?.getAttribute('data-submitted') === 'true';
  }

  #settle() {
    for (const [id, act] of [...this.#waiting]) {
      const row = this.row(id);
      if (row && this.#isHeld(row)) continue;
      this.#waiting.delete(id);
      act();
    }
  }

  #replace(old, $new) {
    const checked = old.querySelector('.table-row-multi-select')?.checked;
    if (checked) $new.find('.table-row-multi-select').prop('checked', true);
    this.#window.$(old).replaceWith($new);
    this.#window.recompileAngularContent?.(this.#$());
  }

  // Sorting takes all rows out and puts them back, which loses the focus. So does
  // replacing the focused row; then the matching element of the new row gets the focus.
  #keepFocus(act) {
    const { document } = this.#window;
    const focused = document.activeElement;
    if (!this.#element.contains(focused)) {
      act();
      return;
    }
    const id = focused.closest('tr[data-object-id]')?.dataset.objectId;
    act();
    if (document.activeElement === focused) return;
    const row = id ? this.row(id) : null;
    const like = (selector) => (focused.matches(selector) ? row?.querySelector(selector) : null);
    const counterpart = focused.isConnected ? focused : document.getElementById(focused.id) ?? like('.table-row-multi-select') ?? like('.dropdown-toggle');
    counterpart?.focus();
  }

  #insert($new, after) {
    this.#window.horizon.datatables.remove_no_results_row(this.#$());
    const previous = after ? this.row(after) : null;
    if (previous) this.#window.$(previous).after($new);
    else this.#$().children('tbody').first().prepend($new);
    this.#window.recompileAngularContent?.(this.#$());
  }

  // The actions of a row that was fetched on its own would return to the row's
  // URL, which is not a page.
  #retarget($row) {
    const here = encodeURIComponent(this.#window.location.pathname + this.#window.location.search);
    for (const link of $row[0].querySelectorAll('a[href*="row_update"]')) {
      link.setAttribute('href', link.getAttribute('href').replace(/([?&])next=[^&]*/, `$1next=${here}`));
    }
  }

  // The striped bar that Horizon's polling adds to a row in transition.
  #progress($row) {
    if (!$row.hasClass('warning')) return;
    const width = $row.find('[percent]:first').attr('percent') || '100%';
    const $bar = this.#window.$('<div class="progress-text horizon-loading-bar"><div class="progress progress-striped active"><div class="progress-bar"></div></div></div>');
    $bar.find('.progress-bar').css('width', width);
    if ($row.find('.btn-action-required').length > 0) $bar.append('<span class="fa fa-question-circle progress-bar-text"></span>');
    $row.find('td.warning:last').prepend($bar);
  }

  // A table without rows was rendered without what rows need: batch actions, a
  // column of checkboxes, the lines that count rows.
  #adoptEnds(fresh) {
    if (!this.isEmpty || !fresh.tFoot) return;
    this.#keepFocus(() => {
      const { caption, tHead } = this.#element;
      const search = caption?.querySelector('.table_search'); // stays: somebody may be typing in it
      if (caption && fresh.caption) {
        const copy = fresh.caption.cloneNode(true);
        if (search) copy.querySelector('.table_search')?.replaceWith(search);
        caption.replaceWith(copy);
      }
      tHead?.replaceWith(fresh.tHead.cloneNode(true));
      this.#element.append(fresh.tFoot.cloneNode(true));
    });
  }

  #mark(row, name, ms) {
    if (!row) return;
    row.classList.add(name);
    this.#window.setTimeout(() => row.classList.remove(name), ms);
  }
}

// signature is what a person sees of a row.
export function signature(row) {
  const copy = row.cloneNode(true);
  copy.querySelectorAll('.horizon-loading-bar').forEach((bar) => bar.remove());
  const kind = row.classList.contains('warning') ? 'warning' : [...row.classList].filter((name) => name.startsWith('status_')).sort().join();
  return NOISE.reduce((text, [pattern, plain]) => text.replace(pattern, plain), `${kind} ${copy.innerHTML}`);
}
