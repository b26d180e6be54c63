import assert from 'node:assert/strict';
import { test } from 'node:test';

import { INSERT, PanelTable, REMOVE, UPDATE } from './panel-table.js';

const at = (second, ms = 0) => new Date(Date.UTC(2026, 10, 23, 10, 0, second, ms)).toISOString();

function message(second, members = {}) {
  return { v: 1, kind: 'server', action: 'update', id: 'a', name: 'web', status: 'ACTIVE', task: null, at: at(second), data: {}, ...members };
}

test('a message about an unknown id inserts a row, whatever its action', () => {
  const table = new PanelTable();
  assert.equal(table.apply(message(1, { status: 'BUILD' }), 1).type, INSERT);
  assert.equal(table.apply(message(1, { id: 'b', action: 'create' }), 2).type, INSERT);
  assert.equal(table.size, 2);
});

test('an update names the members and columns that changed', () => {
  const table = new PanelTable();
  table.apply(message(1, { data: { power_state: 'running', addresses: [{ address: '10.0.0.1' }] } }), 1);
  const change = table.apply(message(2, { status: 'SUSPENDED', data: { power_state: 'shutdown', addresses: [{ address: '10.0.0.1' }] } }), 2);
  assert.equal(change.type, UPDATE);
  assert.deepEqual(change.changed, ['status', 'power_state']);
});

test('a message that says nothing new draws nothing, but counts as the newest', () => {
  const table = new PanelTable();
  table.apply(message(1), 1);
  assert.equal(table.apply(message(5), 2), null);
  assert.equal(table.apply(message(3, { status: 'ERROR' }), 3), null);
});

test('what a message leaves out keeps its value, null replaces it', () => {
  const table = new PanelTable();
  table.apply(message(1, { data: { key_name: 'mine', power_state: 'running' } }), 1);
  table.apply(message(2, { status: 'SHUTOFF', data: { power_state: null } }), 2);
  assert.deepEqual(table.get('a').data, { key_name: 'mine', power_state: null });
});

test('older never overrides newer', async (t) => {
  await t.test('by time', () => {
    const table = new PanelTable();
    table.apply(message(2, { status: 'SUSPENDED' }), 1);
    assert.equal(table.apply(message(1, { status: 'ACTIVE' }), 2), null);
    assert.equal(table.get('a').status, 'SUSPENDED');
  });
  await t.test('by offset, within one millisecond', () => {
    const table = new PanelTable();
    table.apply(message(2, { status: 'SUSPENDED' }), 8);
    assert.equal(table.apply(message(2, { status: 'ACTIVE' }), 7), null);
    assert.equal(table.apply(message(2, { status: 'ERROR' }), 9).type, UPDATE);
  });
  await t.test('by offset, without a readable time', () => {
    const table = new PanelTable();
    table.apply(message(2, { status: 'SUSPENDED' }), 8);
    assert.equal(table.apply(message(2, { at: 'soon', status: 'ACTIVE' }), 7), null);
    assert.equal(table.apply(message(2, { at: undefined, status: 'ERROR' }), 9).type, UPDATE);
  });
  await t.test('by offset, if the times contradict it by more than a reordering explains', () => {
    const table = new PanelTable();
    table.apply(message(600, { status: 'BUILD' }), 1); // by a host whose clock is ten minutes ahead
    assert.equal(table.apply(message(3, { status: 'ACTIVE' }), 2).type, UPDATE);
    assert.equal(table.apply(message(4, { status: 'SUSPENDED' }), 3).type, UPDATE);
    assert.equal(table.apply(message(601, { status: 'BUILD' }), 1), null); // recovered once more
    assert.equal(table.get('a').status, 'SUSPENDED');
  });
  await t.test('whichever way two messages arrive, the end is the same', () => {
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1]]) {
      const table = new PanelTable();
      const messages = [message(1, { status: 'BUILD' }), message(2, { status: 'ACTIVE' }), message(3, { status: 'SUSPENDED' })];
      order.forEach((n, offset) => table.apply(messages[n], offset + 1));
      assert.equal(table.get('a').status, 'SUSPENDED', `order ${order}`);
    }
  });
});

test('a deleted id does not come back', () => {
  const table = new PanelTable();
  table.apply(message(1), 1);
  assert.equal(table.apply(message(2, { action: 'delete', status: 'DELETED' }), 2).type, REMOVE);
  assert.equal(table.apply(message(1, { status: 'BUILD' }), 3), null);
  assert.equal(table.apply(message(3, { status: 'DELETED' }), 4), null);
  assert.equal(table.apply(message(1, { action: 'create' }), 5), null);
  assert.equal(table.size, 0);
});

test('a deletion holds even where the deleting host has a slow clock', () => {
  const table = new PanelTable();
  table.apply(message(9), 1);
  assert.equal(table.apply(message(8, { action: 'delete' }), 2).type, REMOVE);
});

test('a deletion that comes first hides what comes late', () => {
  const table = new PanelTable();
  assert.equal(table.apply(message(5, { action: 'delete' }), 1), null);
  assert.equal(table.apply(message(4), 2), null);
  assert.equal(table.size, 0);
});

test('what is restored is made anew', () => {
  const table = new PanelTable();
  table.apply(message(1), 1);
  table.apply(message(2, { action: 'delete' }), 2);
  assert.equal(table.apply(message(3, { action: 'create' }), 3).type, INSERT);
});

test('what is no panel message of this version is ignored', () => {
  const table = new PanelTable();
  for (const odd of [null, undefined, 'x', 7, [], {}, { v: 2, id: 'a' }, { v: 1 }, { v: 1, id: '' }, { v: 1, id: 3 }]) {
    assert.equal(table.apply(odd, 1), null);
  }
  assert.equal(table.size, 0);
});

test('rows and tombstones are bounded', () => {
  const table = new PanelTable({ rows: 2, tombstones: 2 });
  for (const id of ['a', 'b', 'c']) table.apply(message(1, { id }), 1);
  assert.equal(table.size, 2);
  for (const id of ['x', 'y', 'z']) table.apply(message(2, { id, action: 'delete' }), 2);
  table.apply(message(3, { id: 'a', action: 'delete' }), 3);
  assert.equal(table.apply(message(3, { id: 'z' }), 4), null, 'the youngest tombstones are kept');
  assert.equal(table.apply(message(3, { id: 'x' }), 5).type, INSERT, 'the oldest are forgotten');
});

test('loading makes the table what was read', async (t) => {
  const row = (id, second, members) => ({ ...message(second, { id, ...members }), v: undefined });
  await t.test('at first', () => {
    const table = new PanelTable();
    const changes = table.load([row('a', 1), row('b', 2)]);
    assert.deepEqual(changes.map((c) => [c.type, c.id]), [[INSERT, 'a'], [INSERT, 'b']]);
  });
  await t.test('again, after messages were missed', () => {
    const table = new PanelTable();
    table.load([row('a', 1), row('b', 2), row('c', 2)]);
    table.beginLoad();
    const changes = table.load([row('b', 5, { status: 'ERROR' }), row('c', 2), row('d', 6)]);
    assert.deepEqual(changes.map((c) => [c.type, c.id]), [[UPDATE, 'b'], [INSERT, 'd'], [REMOVE, 'a']]);
  });
  await t.test('what messages told of meanwhile is newer than what was read', () => {
    const table = new PanelTable();
    table.load([row('a', 1), row('b', 2)]);
    table.beginLoad();
    table.apply(message(7, { id: 'new' }), 9);
    table.apply(message(7, { id: 'a', status: 'SUSPENDED' }), 10);
    table.apply(message(7, { id: 'b', action: 'delete' }), 11);
    const changes = table.load([row('a', 1), row('b', 2)]);
    assert.deepEqual(changes, []);
    assert.deepEqual(table.rows().map((r) => [r.id, r.status]).sort(), [['a', 'SUSPENDED'], ['new', 'ACTIVE']]);
  });
  await t.test('a failed reading leaves the table, and the next one cleans up', () => {
    const table = new PanelTable();
    table.load([row('a', 1)]);
    table.beginLoad();
    table.apply(message(2, { id: 'x' }), 3);
    table.abandonLoad();
    assert.equal(table.size, 2);
    table.beginLoad();
    assert.deepEqual(table.load([row('a', 1)]).map((c) => [c.type, c.id]), [[REMOVE, 'x']]);
  });
  await t.test('replayed messages older than what was read change nothing', () => {
    const table = new PanelTable();
    table.load([row('a', 5, { status: 'SUSPENDED' })]);
    assert.equal(table.apply(message(4, { status: 'ACTIVE' }), 3), null);
    assert.equal(table.apply(message(6, { status: 'ACTIVE' }), 4).type, UPDATE);
  });
});
