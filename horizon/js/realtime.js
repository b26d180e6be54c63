// The browser's connection to horizon-realtime.
//
// In: where the router is, a function that gets a token, and the channels a
// panel wants. Out: messages, in order, and what the connection is doing. The
// official Centrifuge client does the work: reconnecting, resubscribing and
// recovering what was missed. Nothing here knows of tables or of the DOM.

import { Centrifuge, UnauthorizedError } from 'centrifuge';

export { UnauthorizedError };

// The statuses. LIVE: connected, subscribed to everything asked for, and nothing
// missed. RECONNECTING: not now, but still trying, or about to reload what was
// missed. OFF: given up, or closed; do not trust the page to be current.
export const LIVE = 'live';
export const RECONNECTING = 'reconnecting';
export const OFF = 'off';

// TIMEOUT is the Centrifuge client's code for a command without an answer.
const TIMEOUT = 1;

// The router's code for a ticket that it does not know. A router that has restarted
// knows no earlier ticket, so we try a new one: TICKETS times, less and less often.
const INVALID_TOKEN = 3500;
const TICKETS = 3;
const AGAIN_MS = 1000;

// How many clients together reload in a second, on average, when all have missed
// something: half of the 100 that we promise to stay below.
const RELOADS_PER_SECOND = 50;
const MAX_SPREAD_MS = 300_000;

/**
 * transports lists the ways to connect, best first, under the router's prefix.
 *
 * @param {string|URL} url such as https://horizon.example/realtime
 */
export function transports(url) {
  const base = new URL(url);
  base.pathname = base.pathname.replace(/\/*$/, '/');
  const at = (path, protocol = base.protocol) => {
    const endpoint = new URL(path, base);
    endpoint.protocol = protocol;
    return endpoint.href;
  };
  return [
    { transport: 'websocket', endpoint: at('connection/websocket', base.protocol === 'https:' ? 'wss:' : 'ws:') },
    { transport: 'http_stream', endpoint: at('connection/http_stream') },
    { transport: 'sse', endpoint: at('connection/sse') },
  ];
}

/**
 * Realtime is one connection, as one identity, with any number of
 * subscriptions. It connects at the first subscription and keeps trying until
 * close is called or the server says that trying again is no use.
 */
export class Realtime {
  #options;
  #client = null;
  #subscriptions = new Map(); // channel → {handlers, since, handle, refused}
  #transports;
  #everConnected = false;
  #closed = false;
  #refused = 0; // tickets since the last connection
  #again = 0; // timer of the next one
  #clients = 0; // connected to the router, the most it has told us of
  #status = RECONNECTING;
  #reason = '';

  /**
   * @param {object} options
   * @param {string|URL} options.url the router's prefix, absolute
   * @param {() => Promise<string>} options.getToken gets a JWT or a ticket; it
   *   throws UnauthorizedError if asking again is no use
   * @param {boolean} [options.oneUse] tokens are tickets: each connection
   *   attempt takes a new one
   * @param {(status: string, reason: string) => void} [options.onStatus]
   * @param {number} [options.timeout] for a connection attempt and for each
   *   answer, in milliseconds
   * @param {Array} [options.transports] replaces the list of transports
   * @param {Function} [options.Client] replaces the Centrifuge client
   */
  constructor(options) {
    this.#options = { timeout: 5000, Client: Centrifuge, onStatus() {}, ...options };
    this.#transports = options.transports ?? transports(options.url);
  }

  /** status is one of LIVE, RECONNECTING and OFF. */
  get status() {
    return this.#status;
  }

  /**
   * subscribe asks for a channel's messages; at most once per channel.
   *
   * @param {string} channel such as project/<id>/instances
   * @param {object} handlers
   * @param {(message: object, context: {offset: number, channel: string}) => void} handlers.onMessage
   *   gets each panel message; channel is the concrete one under a wildcard
   * @param {() => void} [handlers.onReload] messages were missed and are gone:
   *   read the page again. New messages are already arriving. If many clients
   *   have missed something, each is told at a time of its own
   * @param {(error: {code: number, message: string}) => void} [handlers.onRefused]
   *   the server will not let this identity hear the channel
   * @param {{epoch: string, offset: number}} [since] the position at which the
   *   page was rendered
   * @returns {() => void} unsubscribes
   */
  subscribe(channel, handlers, since) {
    if (this.#closed) throw new Error('subscribe: the connection is closed');
    if (this.#subscriptions.has(channel)) throw new Error(`subscribe: already subscribed to ${channel}`);
    const entry = { handlers, since, handle: null, refused: false, reload: 0 };
    this.#subscriptions.set(channel, entry);
    if (this.#client) {
      this.#attach(channel, entry);
      this.#update();
    } else {
      this.#connect();
    }
    return () => {
      if (this.#subscriptions.get(channel) !== entry) return;
      this.#subscriptions.delete(channel);
      clearTimeout(entry.reload);
      entry.handle.unsubscribe();
      this.#client?.removeSubscription(entry.handle);
      this.#update();
    };
  }

  /** close ends the connection for good. */
  close() {
    this.#closed = true;
    clearTimeout(this.#again);
    for (const entry of this.#subscriptions.values()) clearTimeout(entry.reload);
    this.#client?.disconnect();
    this.#update('closed');
  }

  #connect() {
    const { Client, url, getToken, oneUse, timeout } = this.#options;
    const emulation = new URL(transports(url)[1].endpoint);
    emulation.pathname = emulation.pathname.replace(/connection\/http_stream$/, 'emulation');
    const client = new Client(this.#transports, {
      getToken: () => getToken(),
      emulationEndpoint: emulation.href,
      timeout,
      name: 'horizon',
    });
    this.#client = client;
    client.on('connecting', ({ reason }) => {
      if (oneUse) client.setToken(''); // a ticket works once: ask for another
      this.#update(reason);
    });
    client.on('message', ({ data }) => this.#count(data));
    client.on('connected', ({ data }) => {
      this.#count(data);
      this.#everConnected = true;
      this.#refused = 0;
      this.#update();
    });
    client.on('disconnected', ({ code, reason }) => {
      if (client !== this.#client) return;
      if (oneUse && code === INVALID_TOKEN && !this.#closed) this.#askAgain(client);
      this.#update(reason);
    });
    client.on('error', (context) => this.#onError(client, context));
    client.connect();
    for (const [channel, entry] of this.#subscriptions) this.#attach(channel, entry);
  }

  #askAgain(client) {
    if (this.#refused >= TICKETS) return;
    this.#refused += 1;
    this.#again = setTimeout(() => {
      this.#again = 0;
      client.setToken('');
      client.connect();
    }, AGAIN_MS * this.#refused);
  }

  // A proxy may let a websocket open and then pass nothing. The Centrifuge client
  // stays with a transport that opened, so we make it go on to the next.
  #onError(client, { type, error }) {
    const stuck = type === 'connect' && error?.code === TIMEOUT && !this.#everConnected;
    if (!stuck || client !== this.#client || this.#transports.length < 2) return;
    this.#transports = this.#transports.slice(1);
    this.#client = null;
    client.disconnect();
    this.#connect();
  }

  #attach(channel, entry) {
    const handle = this.#client.newSubscription(channel, entry.since ? { since: entry.since } : {});
    entry.handle = handle;
    handle.on('publication', ({ data, offset, tags }) => {
      entry.handlers.onMessage(data, { offset, channel: tags?.channel ?? channel });
    });
    handle.on('subscribed', ({ wasRecovering, recovered }) => {
      entry.refused = false;
      this.#update();
      if (wasRecovering && !recovered) this.#reloadLater(entry);
    });
    handle.on('subscribing', () => this.#update());
    handle.on('unsubscribed', ({ code, reason }) => {
      if (this.#subscriptions.get(channel)?.handle !== handle || this.#closed) return;
      entry.refused = true;
      entry.handlers.onRefused?.({ code, message: reason });
      this.#update(reason);
    });
    handle.subscribe();
  }

  // The router says how many clients it has. After its restart the first to come
  // back hears a small number, so the larger one from before counts.
  #count(data) {
    if (Number.isSafeInteger(data?.clients)) this.#clients = Math.max(this.#clients, data.clients);
  }

  // When a router restarts, all its clients find out in the same second that they
  // have missed something. They reload one after the other, in random order.
  #reloadLater(entry) {
    const { onReload } = entry.handlers;
    if (!onReload) return;
    clearTimeout(entry.reload);
    entry.reload = setTimeout(() => {
      entry.reload = 0;
      this.#update();
      onReload();
    }, Math.random() * Math.min((1000 * this.#clients) / RELOADS_PER_SECOND, MAX_SPREAD_MS));
    this.#update('catching up');
  }

  #current() {
    if (this.#closed || !this.#client) return OFF;
    if (this.#client.state === 'disconnected') return this.#again ? RECONNECTING : OFF;
    const entries = [...this.#subscriptions.values()];
    if (entries.some((entry) => entry.refused)) return OFF;
    const live = this.#client.state === 'connected' && entries.every((entry) => entry.handle?.state === 'subscribed' && !entry.reload);
    return live ? LIVE : RECONNECTING;
  }

  #update(reason = '') {
    const status = this.#current();
    if (status === this.#status && (reason === '' || reason === this.#reason)) return;
    this.#status = status;
    this.#reason = reason;
    this.#options.onStatus(status, reason);
  }
}
