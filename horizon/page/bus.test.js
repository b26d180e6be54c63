import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JSDOM } from 'jsdom';

import { LIVE, OFF, RECONNECTING, UnauthorizedError } from '../js/realtime.js';
import { Bus, mayHear } from './bus.js';
import { settle, stopClock } from './clock.testing.js';
import { TICKET } from './horizon.testing.js';

// A bus whose connection is the test's: what it was asked for, and what it tells.
function open(t, { answers = [TICKET], stored } = {}) {
  const { window } = new JSDOM('', { url: 'http://horizon.example/project/instances/' });
  t.after(() => window.close());
  const errors = [];
  window.console.error = (...words) => errors.push(words);
  if (stored) window.localStorage.setItem('horizon-realtime.positions', JSON.stringify(stored));
  const clock = stopClock(window);
  const asked = [];
  const connections = [];
  class Connection {
    channels = new Map();

    constructor(options) {
      this.options = options;
      connections.push(this);
    }

    subscribe(channel, handlers, since) {
      assert.equal(this.channels.has(channel), false, 'each channel once');
      this.channels.set(channel, { ...handlers, since });
    }
  }
  const bus = new Bus(window, async () => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(answer);
    if (answer instanceof Error) throw answer;
    return answer;
  }, Connection);
  const statuses = [];
  bus.watch((status) => statuses.push(status));
  return { window, bus, clock, asked, connections, statuses, errors };
}

const none = { onMessage() {} };

test('nobody who listens costs neither a ticket nor a connection', async (t) => {
  const { asked, connections, clock } = open(t);
  await clock.advance(60_000);
  assert.equal(asked.length + connections.length, 0);
});

test('all listeners share one connection, and each channel one subscription', async (t) => {
  const { bus, asked, connections } = open(t);
  const heard = [];
  bus.listen('instances', { onMessage: (message) => heard.push(['first', message]) });
  const stop = bus.listen('instances', { onMessage: (message) => heard.push(['second', message]) });
  bus.listen('keypairs', none, 'user');
  await settle();
  bus.listen('images', none, 'public');
  bus.listen('public/news', none);
  assert.equal(asked.length, 1);
  assert.equal(connections.length, 1);
  assert.deepEqual([...connections[0].channels.keys()], ['project/p/instances', 'user/u/keypairs', 'public/images', 'public/news']);
  const channel = connections[0].channels.get('project/p/instances');
  channel.onMessage('m', { offset: 41 });
  stop();
  channel.onMessage('n', { offset: 42 });
  assert.deepEqual(heard, [['first', 'm'], ['second', 'm'], ['first', 'n']]);
});

test('a ticket is used once', async (t) => {
  const { bus, connections } = open(t, { answers: [TICKET, { ...TICKET, ticket: 't2' }] });
  bus.listen('instances', none);
  await settle();
  const { getToken } = connections[0].options;
  assert.deepEqual([await getToken(), await getToken()], ['t1', 't2']);
});

test('what the ticket does not open is not asked for', async (t) => {
  const { bus, connections, statuses } = open(t);
  bus.listen('instances', none, 'admin');
  bus.listen('project/other/instances', none);
  await settle();
  assert.equal(connections[0].channels.size, 0);
  assert.deepEqual(statuses, [OFF, RECONNECTING, OFF]);
  assert.equal(bus.hears('instances', 'admin'), false);
});

test('a refusal is final; anything else is tried again', async (t) => {
  const refused = open(t, { answers: [new UnauthorizedError('no')] });
  refused.bus.listen('instances', none);
  await refused.clock.advance(600_000);
  assert.equal(refused.asked.length, 1);
  assert.equal(refused.bus.status, OFF);
  const down = open(t, { answers: [new Error('503'), new Error('503'), TICKET] });
  down.bus.listen('instances', none);
  await down.clock.advance(600_000);
  assert.equal(down.asked.length, 3);
  assert.equal(down.connections[0].channels.size, 1);
});

test('live is when messages come in', async (t) => {
  const { bus, connections } = open(t);
  bus.listen('instances', none);
  await settle();
  assert.equal(bus.hears('instances'), false);
  connections[0].options.onStatus(LIVE);
  assert.equal(bus.hears('instances'), true);
  assert.equal(bus.hears('volumes'), false);
  connections[0].options.onStatus(RECONNECTING);
  assert.equal(bus.hears('instances'), false);
});

test("one listener's fault is not the others'", async (t) => {
  const { bus, connections, errors } = open(t);
  const heard = [];
  bus.listen('instances', { onMessage() { throw new Error('mine'); } });
  bus.listen('instances', { onMessage: (message) => heard.push(message) });
  await settle();
  connections[0].channels.get('project/p/instances').onMessage('m', { offset: 41 });
  assert.deepEqual(heard, ['m']);
  assert.equal(errors.length, 1);
});

test('a page begins where an earlier one stood before it was rendered; without that it reads again', async (t) => {
  let reloads = 0;
  const listener = { onMessage() {}, onReload: () => { reloads += 1; } };
  const fresh = open(t);
  fresh.bus.listen('instances', listener);
  await settle();
  assert.deepEqual(fresh.connections[0].channels.get('project/p/instances').since, TICKET.position);
  assert.equal(reloads, 1);
  for (const [epoch, since, reads] of [['e', { epoch: 'e', offset: 31 }, 1], ['earlier epoch', TICKET.position, 2]]) {
    const known = open(t, { stored: [{ epoch, offset: 31, at: 1000 }] });
    known.bus.listen('instances', listener);
    await settle();
    assert.deepEqual(known.connections[0].channels.get('project/p/instances').since, since);
    assert.equal(reloads, reads);
  }
});

test('patterns end at a slash', () => {
  assert.equal(mayHear(['project/p/*'], 'project/p/instances'), true);
  assert.equal(mayHear(['project/p/*'], 'project/pq/instances'), false);
  assert.equal(mayHear(['public/news'], 'public/news'), true);
  assert.equal(mayHear([], 'public/news'), false);
});
