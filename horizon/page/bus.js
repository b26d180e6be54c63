// One connection for the whole page, and who on the page listens to what.
//
// It opens at the first subscription: a page on which nothing listens costs
// neither a ticket nor a connection.

import { LIVE, OFF, Realtime, RECONNECTING, UnauthorizedError } from '../js/realtime.js';
import { Positions } from './positions.js';

// A ticket is not used in its last seconds.
const MARGIN_MS = 5000;
const RETRY_MS = [2000, 5000, 15000, 30000];

/**
 * Bus hands panel messages to listeners, by topic.
 */
export class Bus {
  #window;
  #fetchTicket;
  #Connection;
  #positions;
  #channels = new Map(); // channel → Set of handlers
  #waiting = []; // subscriptions from before the first ticket
  #watchers = new Set();
  #ticket = null;
  #expires = 0;
  #connection = null;
  #starting = false;
  #status = OFF;

  /**
   * @param {Window} window
   * @param {() => Promise<object>} fetchTicket
   * @param {Function} [Connection] replaces Realtime
   */
  constructor(window, fetchTicket, Connection = Realtime) {
    this.#window = window;
    this.#fetchTicket = fetchTicket;
    this.#Connection = Connection;
    this.#positions = new Positions(storageOf(window));
  }

  /** status is LIVE, RECONNECTING or OFF. */
  get status() {
    return this.#status;
  }

  /** ticket is the last answer of Horizon's backend, null before the first. */
  get ticket() {
    return this.#ticket;
  }

  /**
   * listen subscribes to a topic's messages.
   *
   * @param {string} topic such as instances, or a whole channel
   * @param {object} handlers
   * @param {(message: object, context: {channel: string, offset: number}) => void} handlers.onMessage
   * @param {() => void} [handlers.onReload] messages may have been missed
   * @param {string} [scope] project, user, admin or public
   * @returns {() => void} ends the subscription
   */
  listen(topic, handlers, scope = 'project') {
    const subscription = { topic, scope, handlers, channel: '', stopped: false };
    if (this.#ticket) this.#open(subscription);
    else this.#waiting.push(subscription);
    this.#start();
    return () => this.#close(subscription);
  }

  /** watch calls fn with the status, now and whenever it changes. */
  watch(fn) {
    this.#watchers.add(fn);
    fn(this.#status);
    return () => this.#watchers.delete(fn);
  }

  /** hears reports whether a topic's messages are arriving now. */
  hears(topic, scope = 'project') {
    return this.#status === LIVE && this.#ticket !== null && this.#channels.has(this.#channelOf(topic, scope));
  }

  async #start(attempt = 0) {
    if (this.#starting && attempt === 0) return;
    this.#starting = true;
    if (this.#ticket) return;
    if (attempt === 0) this.#tell(RECONNECTING);
    try {
      this.#accept(await this.#fetchTicket());
    } catch (error) {
      if (error instanceof UnauthorizedError) {
        this.#tell(OFF);
        return;
      }
      this.#window.setTimeout(() => this.#start(attempt + 1), RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
      return;
    }
    this.#connection = new this.#Connection({
      url: new URL(this.#ticket.url, this.#window.location.href),
      getToken: () => this.#token(),
      oneUse: true,
      onStatus: (status) => this.#tell(status),
    });
    for (const subscription of this.#waiting.splice(0)) this.#open(subscription);
    if (this.#channels.size === 0) this.#tell(OFF);
  }

  // The first connection uses the ticket that we already have.
  async #token() {
    if (Date.now() > this.#expires) this.#accept(await this.#fetchTicket());
    this.#expires = 0;
    return this.#ticket.ticket;
  }

  #accept(ticket) {
    this.#ticket = ticket;
    this.#expires = Date.now() + ticket.expires_in * 1000 - MARGIN_MS;
  }

  #open(subscription) {
    if (subscription.stopped) return;
    const channel = this.#channelOf(subscription.topic, subscription.scope);
    if (!mayHear(this.#ticket.channels, channel)) return;
    subscription.channel = channel;
    const handlers = this.#channels.get(channel);
    if (handlers) {
      handlers.add(subscription.handlers);
      return;
    }
    this.#channels.set(channel, new Set([subscription.handlers]));
    const { epoch } = this.#ticket.position;
    const since = this.#positions.before(this.#window.performance.timeOrigin, epoch);
    this.#subscribe(channel, since);
    this.#positions.note(epoch, this.#ticket.position.offset, Date.now());
    // Nobody knows what changed between rendering and now.
    if (!since) this.#each(channel, (h) => h.onReload?.());
  }

  #subscribe(channel, since) {
    this.#connection.subscribe(channel, {
      onMessage: (message, context) => {
        this.#positions.note(this.#ticket.position.epoch, context.offset, Date.now());
        this.#each(channel, (h) => h.onMessage(message, context));
      },
      onReload: () => this.#each(channel, (h) => h.onReload?.()),
    }, since ?? this.#ticket.position);
  }

  #close(subscription) {
    subscription.stopped = true;
    this.#channels.get(subscription.channel)?.delete(subscription.handlers);
  }

  // One listener's failure must not affect the others.
  #each(channel, act) {
    for (const handlers of [...this.#channels.get(channel)]) {
      try {
        act(handlers);
      } catch (error) {
        this.#window.console.error('realtime: a listener failed', error);
      }
    }
  }

  #channelOf(topic, scope) {
    if (topic.includes('/')) return topic;
    if (scope === 'project' || scope === 'user') return `${scope}/${this.#ticket[scope]}/${topic}`;
    return `${scope}/${topic}`;
  }

  #tell(status) {
    if (status === this.#status) return;
    this.#status = status;
    for (const fn of [...this.#watchers]) fn(status);
  }
}

// mayHear reports whether the ticket covers a channel.
export function mayHear(open, channel) {
  return open.some((pattern) => (pattern.endsWith('/*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern));
}

function storageOf(window) {
  try {
    return window.localStorage;
  } catch {
    return null; // forbidden by the user
  }
}
