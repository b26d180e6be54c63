import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OFF, Realtime, transports } from './realtime.js';

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
