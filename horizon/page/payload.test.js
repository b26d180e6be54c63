import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ids, openPage, recorded } from './horizon.testing.js';
import { painter } from './payload.js';

const { one } = ids(recorded('instances'));

function open(t) {
  const { window, close } = openPage(recorded('instances'));
  t.after(close);
  const row = window.document.getElementById(`instances__row__${one}`);
  const titles = [...window.document.querySelectorAll('tr.table_column_header th')].map((th) => th.textContent.trim());
  const cell = (title) => row.cells[titles.indexOf(title)].textContent.trim();
  const asked = [];
  return { window, row, cell, asked, paint: painter((id) => asked.push(id)) };
}

const message = (members = {}, data = {}) => ({ v: 1, id: one, name: 'one', status: 'SUSPENDED', task: null, error: null, data, ...members });

test('the words and classes are those of Horizon', (t) => {
  const { row, cell, paint } = open(t);
  assert.equal(paint(row, message({ name: 'renamed' }, { power_state: 'suspended' }), [], undefined), true);
  assert.deepEqual(['Instance Name', 'Status', 'Task', 'Power State'].map(cell), ['renamed', 'Suspended', 'None', 'Suspended']);
  assert.equal(row.querySelector('td a').textContent, 'renamed', 'the name is still a link');
  assert.ok(row.classList.contains('status_up'));
  paint(row, message({ status: 'ACTIVE', task: 'powering-off' }), ['status', 'task'], message());
  assert.deepEqual(['Status', 'Task'].map(cell), ['Active', 'Powering-Off']);
  assert.ok(row.classList.contains('warning'));
  assert.equal(cell('Power State'), 'Suspended', 'what is not told stays');
});

test('what only Horizon can draw is left to it', (t) => {
  const { row, paint } = open(t);
  const html = row.outerHTML;
  assert.equal(paint(row, message({}, { flavor: 'm1.small' }), ['flavor'], message({}, { flavor: 'm1.tiny' })), false, 'another flavor');
  assert.equal(paint(row, message({ error: 'no host' }), ['error'], message()), false, 'a fault');
  assert.equal(paint(row, message({ status: undefined }), [], undefined), false, 'no status');
  assert.equal(paint(row, message({}, { addresses: [{ address: '192.0.2.9' }] }), [], undefined), false, 'an address that is not there yet');
  assert.equal(row.outerHTML, html);
});

test('a column that is told for the first time is no change', (t) => {
  const { row, paint, cell } = open(t);
  const addresses = [{ address: cell('IP Address') }];
  assert.equal(paint(row, message({}, { flavor: 'm1.tiny', addresses }), ['flavor', 'addresses'], message()), true);
});

test("the row's actions are fetched once, when somebody reaches for it", (t) => {
  const { row, paint, asked, window } = open(t);
  paint(row, message(), [], undefined);
  paint(row, message({ status: 'ACTIVE' }), ['status'], message());
  assert.deepEqual(asked, []);
  row.dispatchEvent(new window.Event('focusin'));
  row.dispatchEvent(new window.Event('pointerenter'));
  assert.deepEqual(asked, [one]);
});

test('words are put as text', (t) => {
  const { row, paint } = open(t);
  paint(row, message({ name: '<img src=x onerror=alert(1)>' }), [], undefined);
  assert.equal(row.querySelector('img'), null);
});
