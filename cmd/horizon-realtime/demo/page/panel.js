// One project's instances table: drawn from the list, kept by panel messages
// that come over a connection of its own, as that project's user.

import { LIVE, OFF, Realtime, UnauthorizedError } from '../../../../horizon/js/realtime.js';
import { INSERT, PanelTable, REMOVE } from '../../../../horizon/js/panel-table.js';
import { call } from './api.js';
import { age, powerWord, statusWord, taskWord, tone } from './words.js';

const HIGHLIGHT_MS = 2400;
const RETRY_MS = 2000;

// The columns, in the table's order: the class of the cell, the member or
// column a change of which marks it, its heading, and what it shows.
const COLUMNS = [
  ['name', 'name', 'Instance Name', (row) => row.name],
  ['image', 'image_id', 'Image Name', (row, view) => row.data.image_name ?? view.images[row.data.image_id] ?? '—'],
  ['address', 'addresses', 'IP Address', (row) => addresses(row.data)],
  ['flavor', 'flavor', 'Flavor', (row) => row.data.flavor ?? '—'],
  ['key', 'key_name', 'Key Pair', (row) => row.data.key_name || '—'],
  ['status', 'status', 'Status', (row) => statusWord(row.status)],
  ['zone', 'availability_zone', 'Availability Zone', (row) => row.data.availability_zone || '—'],
  ['task', 'task', 'Task', (row) => taskWord(row.task)],
  ['power', 'power_state', 'Power State', (row) => powerWord(row.data.power_state)],
  ['age', 'created_at', 'Age', (row) => age(row.data.created_at, Date.now())],
];

function addresses(data) {
  return (data.addresses ?? []).map((a) => a.address ?? a).join(', ') || '—';
}

/** Panel is the table of one project. */
export class Panel {
  #project;
  #view = null;
  #table = new PanelTable();
  #rows = new Map(); // id → {tr, cells, toggle, remove, fade}
  #element;
  #prefix;
  #announce;
  #onMessage;

  /**
   * @param {string} project its name
   * @param {object} page
   * @param {string} page.prefix the path under which the router listens
   * @param {(sentence: string) => void} page.announce tells a screen reader
   * @param {(project: string, message: object, context: object) => void} page.onMessage
   *   sees each panel message as it came
   */
  constructor(project, { prefix, announce, onMessage }) {
    this.#project = project;
    this.#prefix = prefix;
    this.#announce = announce;
    this.#onMessage = onMessage;
    const template = document.getElementById('panel-template');
    this.#element = template.content.firstElementChild.cloneNode(true);
    this.#element.id = project;
    const title = this.#find('h2');
    title.id = `${project}-title`;
    title.textContent = `Project ${project}`;
    this.#element.setAttribute('aria-labelledby', title.id);
    this.#find('.scroll').setAttribute('aria-labelledby', title.id);
    const input = this.#find('input');
    input.id = `${project}-name`;
    this.#find('label').htmlFor = input.id;
    this.#find('form').addEventListener('submit', (event) => this.#launch(event, input));
  }

  /** element is the panel, to be put into the page. */
  get element() {
    return this.#element;
  }

  /** start reads the list and keeps it current from there. It returns what it
   *  read. */
  async start() {
    await this.#load();
    const connection = new Realtime({
      url: new URL(this.#prefix, location.href),
      getToken: () => this.#token(),
      onStatus: (status, reason) => this.#indicate(status, reason),
    });
    connection.subscribe(this.#view.channel, {
      onMessage: (message, context) => this.#hear(message, context),
      onReload: () => this.#load(),
      onRefused: ({ message }) => this.#complain(`the router will not let ${this.#view.user} hear this project: ${message}`),
    }, this.#view.position);
    setInterval(() => this.#growOlder(), 15_000);
    return this.#view;
  }

  // load reads the list (again), until it has been read.
  async #load() {
    for (;;) {
      this.#table.beginLoad();
      try {
        this.#view = await call(`instances?project=${encodeURIComponent(this.#project)}`);
        break;
      } catch (error) {
        this.#table.abandonLoad();
        this.#complain(error.message);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.#complain('');
    this.#find('.who').textContent = `as ${this.#view.user}, over a connection of its own`;
    for (const change of this.#table.load(this.#view.instances)) this.#draw(change, false);
    this.#count();
  }

  async #token() {
    try {
      return (await call('token', { project: this.#project })).token;
    } catch (error) {
      if (/not found/.test(error.message)) throw new UnauthorizedError(error.message);
      throw error;
    }
  }

  #hear(message, context) {
    this.#onMessage(this.#project, message, context);
    const change = this.#table.apply(message, context.offset);
    if (!change) return;
    this.#draw(change, true);
    this.#count();
    this.#tell(change);
  }

  // tell says aloud what has come to rest, not each step on the way.
  #tell({ type, row, changed }) {
    if (type === REMOVE) this.#announce(`${row.name} was deleted from project ${this.#project}.`);
    else if (type === INSERT) this.#announce(`${row.name} was added to project ${this.#project}.`);
    else if (changed.includes('status') && !row.task) this.#announce(`${row.name} is now ${statusWord(row.status)}.`);
  }

  #draw({ type, id, row, changed }, highlight) {
    if (type === REMOVE) {
      this.#remove(id);
      return;
    }
    let drawn = this.#rows.get(id);
    if (!drawn) {
      drawn = this.#newRow(id);
      this.#rows.set(id, drawn);
      this.#place(drawn.tr, row);
    }
    const { tr, cells, toggle, remove } = drawn;
    tr.dataset.status = row.status;
    tr.dataset.task = row.task ?? '';
    tr.dataset.tone = tone(row.status, row.task);
    COLUMNS.forEach(([, member, , text], n) => {
      const value = text(row, this.#view);
      if (cells[n].textContent !== value) cells[n].textContent = value;
      cells[n].classList.toggle('changed', highlight && changed.includes(member));
    });
    const suspended = row.status === 'SUSPENDED';
    toggle.textContent = suspended ? 'Resume' : 'Suspend';
    toggle.dataset.action = suspended ? 'resume' : 'suspend';
    toggle.setAttribute('aria-label', `${toggle.textContent} ${row.name}`);
    allow(toggle, !row.task && (suspended || row.status === 'ACTIVE'));
    remove.setAttribute('aria-label', `Delete ${row.name}`);
    allow(remove, row.task !== 'deleting' && row.status !== 'DELETED');
    if (highlight) this.#highlight(drawn, type === INSERT);
  }

  #newRow(id) {
    const tr = document.createElement('tr');
    tr.id = `${this.#project}__row__${id}`;
    tr.dataset.objectId = id;
    const cells = COLUMNS.map(([name, , heading]) => {
      const cell = document.createElement(name === 'name' ? 'th' : 'td');
      if (name === 'name') cell.scope = 'row';
      cell.className = name;
      cell.dataset.label = heading;
      tr.append(cell);
      return cell;
    });
    const actions = document.createElement('td');
    actions.className = 'actions';
    actions.dataset.label = 'Actions';
    const toggle = button('');
    const remove = button('Delete');
    remove.className = 'danger';
    remove.dataset.action = 'delete';
    for (const b of [toggle, remove]) b.addEventListener('click', () => this.#act(b, id));
    actions.append(toggle, remove);
    tr.append(actions);
    return { tr, cells, toggle, remove, fade: 0 };
  }

  // place puts a new row where nova lists it: the newest first.
  #place(tr, row) {
    const body = this.#find('tbody');
    const created = row.data.created_at ?? '';
    tr.dataset.created = created;
    const next = Array.from(body.rows).find((other) => other.dataset.created <= created);
    body.insertBefore(tr, next ?? null);
  }

  #remove(id) {
    const { tr, fade } = this.#rows.get(id);
    this.#rows.delete(id);
    clearTimeout(fade);
    if (tr.contains(document.activeElement)) {
      const neighbour = tr.nextElementSibling ?? tr.previousElementSibling;
      (neighbour?.querySelector('button') ?? this.#find('.launch button')).focus();
    }
    tr.remove();
  }

  #highlight(drawn, isNew) {
    const { tr } = drawn;
    clearTimeout(drawn.fade);
    tr.classList.remove('fresh', 'new');
    void tr.offsetWidth; // so that the animation starts again
    tr.classList.add(isNew ? 'new' : 'fresh');
    drawn.fade = setTimeout(() => {
      tr.classList.remove('fresh', 'new');
      for (const cell of drawn.cells) cell.classList.remove('changed');
    }, HIGHLIGHT_MS);
  }

  #growOlder() {
    const column = COLUMNS.findIndex(([name]) => name === 'age');
    for (const [id, { cells }] of this.#rows) {
      const created = this.#table.get(id)?.data.created_at;
      if (created) cells[column].textContent = age(created, Date.now());
    }
  }

  async #launch(event, input) {
    event.preventDefault();
    const name = input.value;
    input.value = '';
    await this.#ask('instances', { project: this.#project, name });
  }

  async #act(b, id) {
    if (b.getAttribute('aria-disabled') === 'true') return;
    allow(b, false); // until the row says more
    const done = await this.#ask(`instances/${encodeURIComponent(id)}/${b.dataset.action}`, { project: this.#project });
    if (!done) allow(b, true);
  }

  async #ask(path, body) {
    try {
      await call(path, body);
      this.#complain('');
      return true;
    } catch (error) {
      this.#complain(error.message);
      return false;
    }
  }

  #complain(sentence) {
    const problem = this.#find('.problem');
    problem.textContent = sentence;
    problem.hidden = sentence === '';
  }

  #indicate(status, reason) {
    const indicator = this.#find('.indicator');
    const word = { [LIVE]: 'Live', [OFF]: 'Off' }[status] ?? 'Reconnecting';
    if (indicator.dataset.status === status) return;
    indicator.dataset.status = status;
    indicator.title = reason;
    this.#find('.indicator .word').textContent = word;
  }

  #count() {
    const n = this.#table.size;
    this.#find('footer').textContent = n === 0 ? 'No items to display.' : `Displaying ${n} item${n === 1 ? '' : 's'}`;
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }
}

function button(label) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = label;
  return b;
}

// allow keeps a button in reach of the keyboard while it does nothing, so that
// the focus is not lost while a row changes.
function allow(b, yes) {
  b.setAttribute('aria-disabled', String(!yes));
}
