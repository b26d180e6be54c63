// The strip that shows what the services publish beside what a page received.
// It sees the notifications through the demo's own window onto the simulated
// cloud; the panel messages are those that came over the panels' connections.

const KEPT = 40;
const PATIENCE_MS = 3000;
const WAITING = 'waiting';
const NONE = 'nothing for panels';
const PAST = 'before this page';

/** Wire is the strip. */
export class Wire {
  #list = document.getElementById('wire');
  #follow = document.getElementById('follow');
  #entries = []; // the latest first
  #early = []; // panel messages whose notification has not been shown yet
  #selected = null;
  #source = null;

  constructor() {
    this.#follow.addEventListener('click', () => this.#setFollow(!this.#following()));
    this.#list.addEventListener('keydown', (event) => this.#walk(event));
    document.addEventListener('visibilitychange', () => this.#listen());
    this.#listen();
  }

  /** received takes a panel message, as the project's connection delivered it. */
  received(project, message) {
    const entry = this.#entries.find((e) => !e.message && matches(e, message));
    if (entry) {
      this.#deliver(entry, project, message);
      return;
    }
    this.#early.push({ project, message });
    if (this.#early.length > KEPT) this.#early.shift();
  }

  // A browser opens few connections to one server, so a hidden tab keeps none.
  #listen() {
    if (document.hidden) {
      this.#source?.close();
      this.#source = null;
    } else if (!this.#source) {
      this.#source = new EventSource('/demo/api/notifications');
      this.#source.onmessage = (event) => this.#show(JSON.parse(event.data));
    }
  }

  #show(raw) {
    const last = this.#entries[0]?.raw.seq ?? 0;
    if (raw.seq <= last) {
      if (last - raw.seq <= KEPT) return; // told again after a reconnect
      this.#clear(); // another cloud: the server was started again
    }
    const entry = newEntry(raw);
    entry.button.addEventListener('click', () => {
      this.#setFollow(false);
      this.#select(entry);
    });
    this.#entries.unshift(entry);
    this.#list.prepend(entry.item);
    if (this.#entries.length > KEPT) this.#drop(this.#entries.pop());
    const early = this.#early.findIndex(({ message }) => matches(entry, message));
    if (early >= 0) {
      const [{ project, message }] = this.#early.splice(early, 1);
      this.#deliver(entry, project, message);
    } else if (raw.past) {
      this.#outcome(entry, PAST, 'none');
    } else {
      entry.patience = setTimeout(() => this.#outcome(entry, NONE, 'none'), PATIENCE_MS);
    }
    if (this.#following()) this.#select(entry);
  }

  #deliver(entry, project, message) {
    clearTimeout(entry.patience);
    entry.message = message;
    const own = entry.raw.project === project;
    this.#outcome(entry, own ? `to ${project}’s page` : `LEAKED to ${project}`, own ? 'own' : 'leak');
  }

  #outcome(entry, words, kind) {
    entry.outcome.textContent = words;
    entry.item.dataset.outcome = kind;
    if (entry === this.#selected) this.#detail();
  }

  #select(entry) {
    this.#selected?.button.setAttribute('aria-pressed', 'false');
    this.#selected = entry;
    entry.button.setAttribute('aria-pressed', 'true');
    this.#detail();
  }

  #detail() {
    const { raw, inner, message } = this.#selected;
    text('raw-note', `${raw.exchange} · ${raw.routing_key} · ${raw.body.length.toLocaleString('en')} bytes`);
    text('raw', JSON.stringify(inner, null, 2));
    const made = message ? JSON.stringify(message) : '';
    text('made-note', message ? `${made.length.toLocaleString('en')} bytes` : '');
    text('made', message ? JSON.stringify(message, null, 2) : this.#selected.outcome.textContent);
  }

  #drop(entry) {
    clearTimeout(entry.patience);
    entry.item.remove();
  }

  #clear() {
    for (const entry of this.#entries.splice(0)) this.#drop(entry);
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = this.#entries.findIndex((entry) => entry.button === document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = this.#entries[at + step];
    next?.button.focus();
    next?.button.click();
  }

  #following() {
    return this.#follow.getAttribute('aria-pressed') === 'true';
  }

  #setFollow(on) {
    this.#follow.setAttribute('aria-pressed', String(on));
    if (on && this.#entries[0]) this.#select(this.#entries[0]);
  }
}

function newEntry(raw) {
  const inner = JSON.parse(JSON.parse(raw.body)['oslo.message']);
  const item = document.createElement('li');
  item.dataset.outcome = WAITING;
  item.dataset.project = raw.project;
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-pressed', 'false');
  const part = (name, words) => {
    const span = document.createElement('span');
    span.className = name;
    span.textContent = words;
    button.append(span, ' ');
    return span;
  };
  part('time', inner.timestamp.slice(11, 23));
  part('project', raw.project);
  part('event', inner.event_type);
  part('name', nameOf(inner.payload));
  const outcome = part('outcome', '…');
  item.append(button);
  return { raw, inner, item, button, outcome, message: null, patience: 0 };
}

function nameOf(payload) {
  const data = payload['nova_object.data'] ?? payload;
  return data.display_name ?? data.name ?? '';
}

// A panel message is that of a notification if it says the same thing about the
// same resource at the same time, to the millisecond.
function matches({ inner }, message) {
  const data = inner.payload['nova_object.data'] ?? inner.payload;
  return message?.event === inner.event_type
    && [data.uuid, data.instance_id, data.volume_id, data.id].includes(message.id)
    && Date.parse(message.at) === Date.parse(`${inner.timestamp.slice(0, 23).replace(' ', 'T')}Z`);
}

function text(id, words) {
  document.getElementById(id).textContent = words;
}
