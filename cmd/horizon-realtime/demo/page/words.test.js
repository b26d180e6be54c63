import assert from 'node:assert/strict';
import { test } from 'node:test';

import { age, powerWord, statusWord, taskWord, tone } from './words.js';

test('states are called as Horizon calls them', () => {
  assert.equal(statusWord('SHUTOFF'), 'Shutoff');
  assert.equal(statusWord('VERIFY_RESIZE'), 'Verify Resize');
  assert.equal(statusWord(undefined), '');
  assert.equal(powerWord('shutdown'), 'Shut Down');
  assert.equal(powerWord('pending'), 'No State');
  assert.equal(powerWord(null), 'No State');
  assert.equal(powerWord(undefined), '—');
  assert.equal(taskWord('powering-off'), 'Powering Off');
  assert.equal(taskWord(''), 'None');
  assert.equal(taskWord(null), 'None');
});

test('a tone says what a status means', () => {
  assert.equal(tone('ACTIVE', null), 'good');
  assert.equal(tone('ACTIVE', 'suspending'), 'busy');
  assert.equal(tone('BUILD', null), 'busy');
  assert.equal(tone('SHUTOFF', null), 'idle');
  assert.equal(tone('ERROR', 'spawning'), 'bad');
});

test('an age has two units at most', () => {
  const created = '2026-11-23T10:00:00Z';
  const after = (seconds) => age(created, Date.parse(created) + seconds * 1000);
  assert.equal(after(59), 'just now');
  assert.equal(after(-5), 'just now');
  assert.equal(after(60), '1 minute');
  assert.equal(after(3600), '1 hour');
  assert.equal(after(3661), '1 hour, 1 minute');
  assert.equal(after(26 * 3600 + 420), '1 day, 2 hours');
  assert.equal(after(400 * 24 * 3600), '1 year, 1 month');
  assert.equal(age('whenever', 0), '—');
});
