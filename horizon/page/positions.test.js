import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Positions } from './positions.js';

function storage(text = null) {
  return { text, getItem() { return this.text; }, setItem(key, value) { this.text = value; } };
}

test('the latest position before a time, of the same epoch', () => {
  const shelf = storage();
  const positions = new Positions(shelf);
  for (const [offset, at] of [[10, 1000], [11, 1500], [20, 3000], [30, 5000]]) positions.note('e', offset, at);
  assert.deepEqual(new Positions(shelf).before(4000, 'e'), { epoch: 'e', offset: 20 });
  assert.deepEqual(positions.before(2000, 'e'), { epoch: 'e', offset: 10 }, 'not every message is noted');
  assert.equal(positions.before(1000, 'e'), null);
  assert.equal(positions.before(4000, 'other'), null);
});

test('a new epoch forgets the old one, and the list stays short', () => {
  const shelf = storage();
  const positions = new Positions(shelf);
  for (let n = 0; n < 200; n++) positions.note('e', n, n * 2000);
  assert.ok(JSON.parse(shelf.text).length <= 32);
  positions.note('f', 1, 1e6);
  assert.equal(positions.before(1e7, 'e'), null);
  assert.deepEqual(positions.before(1e7, 'f'), { epoch: 'f', offset: 1 });
});

test('what is not there, not readable or full is no fault', () => {
  for (const text of ['{', '{}', 'null', '[null, 7, {"offset": "x", "epoch": 1}]']) assert.equal(new Positions(storage(text)).before(1e9, 'e'), null);
  new Positions(null).note('e', 1, 5000);
  const full = { getItem: () => null, setItem() { throw new Error('QuotaExceededError'); } };
  new Positions(full).note('e', 1, 5000);
});
