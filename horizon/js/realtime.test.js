import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIVE, OFF, Realtime, RECONNECTING, transports } from './realtime.js';

test('the ways to connect are under the prefix, websockets first', () => {
  for (const url of ['https://horizon.example/realtime', 'https://horizon.example/realtime/', new URL('https://horizon.example/realtime//')]) {
    assert.deepEqual(transports(url), [
      { transport: 'websocket', endpoint: 'wss://horizon.example/realtime/connection/websocket' },
      { transport: 'http_stream', endpoint: 'https://horizon.example/realtime/connection/http_stream' },
      { transport: 'sse', endpoint: 'https://horizon.example/realtime/connection/sse' },
    ]);
  }
  assert.equal(transports('http://localhost:8080/realtime')[0].endpoint, 'ws://localhost:8080/realtime/connection/websocket');
});

test('a closed connection is off, and takes no more subscriptions', () => {
  const told = [];
  const connection = new Realtime({ url: 'http://localhost/realtime', getToken: async () => '', onStatus: (status) => told.push(status) });
  connection.close();
  assert.equal(connection.status, OFF);
  assert.deepEqual(told, [OFF]);
  assert.throws(() => connection.subscribe('public/news', { onMessage() {} }), /closed/);
});

test('a prefix that is no absolute URL is refused at once', () => {
  assert.throws(() => new Realtime({ url: '/realtime', getToken: async () => '' }), /URL/);
});

// The Centrifuge client's part that Realtime listens to.
class Client {
  state = 'connecting';
  #handlers = {};
  tokens = [];

  subscriptions = [];

  constructor() { Client.last = this; }
  on(event, fn) { this.#handlers[event] = fn; }
  connect() { this.tell('connecting', {}); }
  disconnect() { this.state = 'disconnected'; }
  setToken(token) { this.tokens.push(token); }
  newSubscription() {
    const subscription = { state: 'subscribed', handlers: {}, on(event, fn) { this.handlers[event] = fn; }, subscribe() {} };
    this.subscriptions.push(subscription);
    return subscription;
  }

  tell(event, context) {
    if (event !== 'message') this.state = event;
    this.#handlers[event](context);
  }
}

test('a ticket that the router does not know is followed by a new one, a few times', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const connection = new Realtime({ url: 'http://localhost/realtime', getToken: async () => '', oneUse: true, Client });
  connection.subscribe('public/news', { onMessage() {} });
  const client = Client.last;
  const refuse = () => client.tell('disconnected', { code: 3500, reason: 'invalid token' });
  refuse();
  assert.equal(connection.status, RECONNECTING);
  t.mock.timers.tick(1000);
  assert.equal(client.state, 'connecting');
  assert.equal(client.tokens.at(-1), '', 'the old one is forgotten');
  client.tell('connected', {});
  assert.equal(connection.status, LIVE);
  for (let n = 0; n < 3; n++) {
    refuse();
    assert.equal(connection.status, RECONNECTING);
    t.mock.timers.tick(60_000);
  }
  refuse();
  assert.equal(connection.status, OFF, 'one that is refused each time is refused');
  t.mock.timers.tick(600_000);
  assert.equal(client.state, 'disconnected');
});

test('any other refusal is final', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [oneUse, code] of [[true, 3501], [false, 3500]]) {
    const connection = new Realtime({ url: 'http://localhost/realtime', getToken: async () => '', oneUse, Client });
    connection.subscribe('public/news', { onMessage() {} });
    Client.last.tell('disconnected', { code, reason: 'no' });
    assert.equal(connection.status, OFF);
    t.mock.timers.tick(600_000);
    assert.equal(Client.last.state, 'disconnected');
  }
});

test('pages that a restart made miss something reload one after the other', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reloads = [];
  const pages = Array.from({ length: 2000 }, (_, n) => {
    const connection = new Realtime({ url: 'http://localhost/realtime', getToken: async () => '', Client });
    connection.subscribe('public/news', { onMessage() {}, onReload: () => reloads.push(n) });
    const client = Client.last;
    client.tell('connected', { data: { clients: 1 } });
    client.tell('message', { data: { clients: 2000 } });
    client.tell('connected', { data: { clients: n + 1 } }); // to the restarted router
    client.subscriptions[0].handlers.subscribed({ wasRecovering: true, recovered: false });
    return connection;
  });
  assert.ok(pages.every((page) => page.status === RECONNECTING), 'none is current yet');
  let most = 0;
  for (let before = 0, second = 0; second < 40; second++, before = reloads.length) {
    t.mock.timers.tick(1000);
    most = Math.max(most, reloads.length - before);
  }
  assert.equal(reloads.length, 2000, 'each has reloaded');
  assert.ok(most <= 100, `${most} in the busiest second`);
  assert.ok(pages.every((page) => page.status === LIVE));
});

test('a page that is alone reloads at once, and not after it has been closed', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const closed of [false, true]) {
    let reloads = 0;
    const connection = new Realtime({ url: 'http://localhost/realtime', getToken: async () => '', Client });
    connection.subscribe('public/news', { onMessage() {}, onReload: () => { reloads += 1; } });
    Client.last.tell('connected', {});
    Client.last.subscriptions[0].handlers.subscribed({ wasRecovering: true, recovered: false });
    if (closed) connection.close();
    t.mock.timers.tick(10);
    assert.equal(reloads, closed ? 0 : 1);
  }
});
