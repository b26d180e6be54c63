// The bundle that Horizon's pages load. It adds one global, `realtime`, with this
// file's exports.

import { Bus } from './bus.js';
import { Page } from './page.js';
import { fetchTicket } from './ticket.js';

const bus = new Bus(window, () => fetchTicket(window));

/**
 * subscribe listens to what happens to one kind of resource.
 *
 * @param {string} topic such as 'instances', or a whole channel such as
 *   'public/images'
 * @param {(message: object, context: {channel: string, offset: number}) => void} fn
 *   gets each panel message; messages arrive at least once
 * @param {object} [options]
 * @param {'project'|'user'|'admin'|'public'} [options.scope]
 * @param {() => void} [options.onReload] messages may have been missed: read
 *   again what you show
 * @returns {() => void} unsubscribes
 */
export function subscribe(topic, fn, { scope = 'project', onReload } = {}) {
  return bus.listen(topic, { onMessage: fn, onReload }, scope);
}

/**
 * onStatus calls fn with 'live', 'reconnecting' or 'off', now and at each change.
 *
 * @returns {() => void} ends the calls
 */
export function onStatus(fn) {
  return bus.watch(fn);
}

/** status is 'live', 'reconnecting' or 'off'. */
export function status() {
  return bus.status;
}

// Horizon's own scripts run before this one, its start (horizon.init) after it.
if (window.horizon?.datatables && window.self === window.top) {
  const page = new Page(window, bus);
  window.horizon.addInitFunction(() => page.start());
}
