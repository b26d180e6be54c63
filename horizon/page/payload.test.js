import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ids, loadAngular, openPage, recorded } from './horizon.testing.js';
import { onlyHorizonKnows, paint } from './payload.js';

const { one } = ids(recorded('instances'));

function open(t) {
  const { window, close } = openPage(recorded('instances'));
  t.after(close);
  const row = window.document.getElementById(`instances__row__${one}`);
  const titles = [...window.document.querySelectorAll('tr.table_column_header th')].map((th) => th.textContent.trim());
  const cell = (title) => row.cells[titles.indexOf(title)].textContent.trim();
  return { window, row, cell };
}

const message = (members = {}, data = {}) => ({ v: 1, id: one, name: 'one', status: 'SUSPENDED', task: null, error: null, data, ...members });

test('the words and classes are those of Horizon', (t) => {
  const { row, cell } = open(t);
  paint(row, message({ name: 'renamed' }, { power_state: 'suspended' }));
  assert.deepEqual(['Instance Name', 'Status', 'Task', 'Power State'].map(cell), ['renamed', 'Suspended', 'None', 'Suspended']);
  assert.equal(row.querySelector('td a').textContent, 'renamed', 'the name is still a link');
  assert.ok(row.classList.contains('status_up'));
  paint(row, message({ status: 'ACTIVE', task: 'powering-off' }));
  assert.deepEqual(['Status', 'Task'].map(cell), ['Active', 'Powering-Off']);
  assert.ok(row.classList.contains('warning'));
  assert.equal(cell('Power State'), 'Suspended', 'what is not told stays');
  paint(row, message({ status: undefined, name: 'again' }));
  assert.deepEqual(['Instance Name', 'Status'].map(cell), ['again', 'Active']);
  assert.ok(row.classList.contains('warning'));
});

test('what only Horizon knows', (t) => {
  const { row, cell } = open(t);
  const address = cell('IP Address');
  const only = (members, data, changed = [], before = message()) => onlyHorizonKnows(row, message(members, data), changed, before);
  assert.equal(only({}, { flavor: 'm1.tiny', addresses: [{ address }] }, ['status']), false, 'not this');
  assert.equal(only({}, { flavor: 'm1.small' }, ['flavor'], message({}, { flavor: 'm1.tiny' })), true, 'another flavor');
  assert.equal(only({}, { flavor: 'm1.small' }, [], undefined), true, 'a flavor that the page does not show');
  assert.equal(only({}, { image_id: 'b' }, ['image_id'], message({}, { image_id: 'a' })), true, 'another image');
  assert.equal(only({ error: 'no host' }, {}, ['error']), true, 'a fault');
  assert.equal(only({ status: undefined }, {}), true, 'no status');
  assert.equal(only({ task: undefined }, {}), true, 'no task');
  assert.equal(only({}, { addresses: [{ address: '192.0.2.9' }] }), true, 'an address that is not there yet');
  assert.equal(only({}, { addresses: [] }, ['addresses'], message({}, { addresses: [{ address }] })), true, 'an address that is no longer there');
});

test('what is known from the first message on only', (t) => {
  const { row, cell } = open(t);
  const address = cell('IP Address');
  const addresses = [{ address }];
  const only = (members, data, before) => onlyHorizonKnows(row, message(members, data), [], before);
  for (const task of ['rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning']) assert.equal(only({ task }, { image_id: 'a' }), true, task);
  assert.equal(only({ task: 'rebuilding' }, { image_id: 'a' }, message()), true, 'the image before is not known');
  assert.equal(only({ task: 'rebuilding' }, { image_id: 'a' }, message({}, { image_id: 'a' })), false, 'the same image');
  assert.equal(only({}, { addresses }), false);
  row.querySelector('ul.list-unstyled').append(', 10.9.9.9');
  assert.equal(only({}, { addresses }), true, 'an address that may have been taken away');
  assert.equal(only({}, { addresses }, message()), true, 'nor was it told before');
  assert.equal(only({}, { addresses }, message({}, { addresses })), false, 'a floating one, then');
  assert.equal(only({}, {}), false, 'no addresses are told');
});

test('a column that is told for the first time is no change', (t) => {
  const { row, cell } = open(t);
  const addresses = [{ address: cell('IP Address') }];
  assert.equal(onlyHorizonKnows(row, message({}, { flavor: 'm1.tiny', addresses }), ['flavor', 'addresses'], message()), false);
});

test('words are put as text', (t) => {
  const { row } = open(t);
  paint(row, message({ name: '<img src=x onerror=alert(1)>' }));
  assert.equal(row.querySelector('img'), null);
});

test('no cell has an expression that Angular would run', (t) => {
  const { window, row, cell } = open(t);
  loadAngular(window);
  window.angular.module('page', []).config(['$interpolateProvider', (symbols) => { symbols.startSymbol('{$').endSymbol('$}'); }]) // as Horizon has it
    .controller('MetadataModalHelperController', class {});
  const injector = window.angular.bootstrap(window.document.createElement('div'), ['page']);
  const compile = () => injector.invoke(['$compile', '$rootScope', ($compile, $rootScope) => { $compile(row)($rootScope); $rootScope.$digest(); }]);
  const run = (n) => `{$ constructor.constructor('ran${n}=1')() $}`;
  paint(row, message({ name: run(0), status: run(1), task: run(2) }, { power_state: run(3), availability_zone: run(4) }));
  compile();
  assert.deepEqual(Object.keys(window).filter((name) => name.startsWith('ran')), []);
  assert.equal(cell('Instance Name'), "{% constructor.constructor('ran0=1')() %}", "as Horizon's templates write it");
  assert.match(cell('Availability Zone'), /^{%.*%}$/);
  row.cells[0].textContent = run(5);
  compile();
  assert.equal(window.ran5, 1, 'while this Angular runs what it finds');
});
