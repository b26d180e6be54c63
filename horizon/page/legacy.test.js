import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ids, openPage, recorded, until } from './horizon.testing.js';
import { LegacyTable, signature } from './legacy.js';

function open(t, name = 'instances', where = undefined, id = 'instances') {
  const page = openPage(recorded(name), where);
  t.after(page.close);
  const table = new LegacyTable(page.window.document.getElementById(id), page.window);
  const names = () => table.rows().map((row) => row.dataset.display);
  const count = () => page.window.document.querySelector('tfoot .table_count')?.textContent;
  return { ...page, table, names, count };
}

const { one, two } = ids(recorded('instances'));
const { three } = ids(recorded('row-new'));
const text = (row) => row.textContent.replace(/\s+/g, ' ');

test('a changed row replaces the old one', (t) => {
  const { table } = open(t);
  assert.match(text(table.row(one)), /Active/);
  assert.equal(table.put(one, recorded('row-suspended')), true);
  assert.match(text(table.row(one)), /Suspended/);
  assert.equal(table.row(one).classList.contains('realtime-changed'), true);
});

test('a row that says the same is left as it is', (t) => {
  const { table } = open(t);
  table.put(one, recorded('row-suspended'));
  const row = table.row(one);
  assert.equal(table.put(one, recorded('row-suspended').replace(/id="[0-9a-f-]{36}"/, 'id="another"')), false);
  assert.equal(table.row(one), row);
});

test('ids, ages and the way back are no change', (t) => {
  const { table } = open(t);
  const row = table.row(two);
  const again = row.cloneNode(true);
  again.querySelector('input').id = 'other';
  again.querySelector('[data-seconds]').textContent = '3 weeks';
  again.querySelector('a[href*="next="]').href = '/project/elsewhere?next=%2F';
  row.querySelector('a[href*="next="]').href = '/project/elsewhere?next=%2Fproject';
  assert.equal(signature(row), signature(again));
});

test('nor is the order of class names', (t) => {
  const { table } = open(t);
  const html = recorded('row-drawn');
  table.draw(one, html);
  const row = table.row(one);
  const turned = html.replace(/ class="([^"]*)"/g, (_, names) => ` class="${names.trim().split(/\s+/).reverse().join(' ')}"`);
  assert.notEqual(turned, html);
  table.draw(one, turned);
  assert.equal(table.row(one), row);
});

test('the way back from an action is the page, not the row', (t) => {
  const { table, window } = open(t, 'instances', '/project/instances/?marker=x');
  table.put(one, recorded('row-suspended'));
  const links = [...table.row(one).querySelectorAll('a[href*="next="]')].map((a) => new URL(a.href).searchParams.get('next'));
  assert.ok(links.length > 0);
  assert.deepEqual([...new Set(links)], [window.location.pathname + window.location.search]);
});

test('a row in transition has the bar that Horizon gives it', (t) => {
  const { table } = open(t);
  table.put(two, recorded('row-in-transition'));
  assert.deepEqual(table.inTransition(), [table.row(two)]);
  assert.equal(table.row(two).querySelectorAll('.horizon-loading-bar').length, 1);
  assert.equal(table.put(two, recorded('row-in-transition')), false, 'the bar is no change');
});

test('a drawn row keeps what its HTML does not know', (t) => {
  const { table } = open(t);
  const cells = () => [...table.row(one).cells].map((cell) => cell.textContent.replace(/\s+/g, ' ').trim());
  const before = cells();
  table.row(one).querySelector('.table-row-multi-select').checked = true;
  assert.equal(table.draw(one, recorded('row-drawn')).actions, true);
  const after = cells();
  assert.deepEqual([after[2], after[3], after[4], after[11]], [before[2], before[3], before[4], before[11]], 'image, address, flavor, age');
  assert.deepEqual([after[6], after[9], after[10]], ['Suspended', 'None', 'Suspended']);
  assert.match(after.at(-1), /Resume Instance/);
  assert.equal(table.row(one).querySelector('.table-row-multi-select').checked, true, 'selected as it was');
  assert.equal(table.row(one).querySelector('[data-realtime-keep]'), null);
});

test('a drawn row without its actions says so, and keeps them', (t) => {
  const { table } = open(t);
  const actions = table.row(one).cells[12].innerHTML;
  assert.equal(table.draw(one, recorded('row-drawn-in-part')).actions, false);
  assert.match(table.row(one).textContent, /Suspended/);
  assert.equal(table.row(one).cells[12].innerHTML, actions);
});

test('a drawn row that does not fit the table is not put', (t) => {
  const { table } = open(t);
  const html = table.row(one).outerHTML;
  assert.equal(table.draw(one, recorded('row-drawn').replace(/<td class="actions_column.*<\/td>/s, '')), null);
  assert.equal(table.draw(one, ''), null);
  assert.equal(table.draw('nobody', recorded('row-drawn')), null);
  assert.equal(table.row(one).outerHTML, html);
});

test('a drawn row waits for an open menu', (t) => {
  const { table, window } = open(t);
  table.row(one).querySelector('.btn-group').classList.add('open');
  assert.equal(table.draw(one, recorded('row-drawn')).actions, true);
  assert.doesNotMatch(table.row(one).textContent, /Suspended/);
  table.row(one).querySelector('.btn-group').classList.remove('open');
  window.$('#instances').trigger('hidden.bs.dropdown');
  return until(() => /Suspended/.test(table.row(one).textContent));
});

test('a new row is the first, and counted', (t) => {
  const { table, names, count } = open(t);
  const before = names();
  assert.equal(table.put(three, recorded('row-new')), false, 'only where it is asked for');
  assert.equal(table.put(three, recorded('row-new'), { add: true }), true);
  assert.deepEqual(names(), ['three', ...before]);
  assert.equal(count(), `Displaying ${before.length + 1} items`);
});

test('what is sorted stays sorted', (t) => {
  const { table, names, window } = open(t);
  const column = [...window.document.querySelectorAll('tr.table_column_header th')].findIndex((th) => /Instance Name/.test(th.textContent));
  window.$('#instances').trigger('sorton', [[[column, 0]]]);
  table.put(three, recorded('row-new'), { add: true });
  assert.deepEqual(names(), [...names()].sort());
  assert.notEqual(names()[0], 'three');
});

test('a selected row stays selected, and the focus where it is', (t) => {
  const { table, window } = open(t);
  table.row(one).querySelector('.table-row-multi-select').checked = true;
  const toggle = table.row(one).querySelector('.dropdown-toggle');
  toggle.focus();
  table.put(one, recorded('row-suspended'));
  assert.equal(table.row(one).querySelector('.table-row-multi-select').checked, true);
  assert.equal(window.document.activeElement, table.row(one).querySelector('.dropdown-toggle'));
});

test('a row whose menu is open waits until it closes', async (t) => {
  const { table, window } = open(t);
  const group = table.row(one).querySelector('.btn-group');
  group.classList.add('open');
  assert.equal(table.put(one, recorded('row-suspended')), false);
  assert.match(text(table.row(one)), /Active/);
  group.classList.remove('open');
  window.$(group).trigger('hidden.bs.dropdown');
  await until(() => /Suspended/.test(text(table.row(one))));
});

test('a deleted row whose menu is open goes when it closes', async (t) => {
  const { table, window } = open(t);
  const group = table.row(one).querySelector('.btn-group');
  group.classList.add('open');
  assert.equal(table.remove(one), false);
  assert.equal(table.row(one).classList.contains('realtime-removed'), true);
  table.forget(one);
  group.classList.remove('open');
  window.$(group).trigger('hidden.bs.dropdown');
  await until(() => table.row(one) === null);
});

test('a row whose action was submitted is left alone', (t) => {
  const { table } = open(t);
  table.row(one).closest('form').setAttribute('data-submitted', 'true');
  assert.equal(table.put(one, recorded('row-suspended')), false);
});

test('deleted rows go, the last one leaves the sentence', async (t) => {
  const { table, count, window } = open(t);
  const all = table.rows().map((row) => row.dataset.objectId);
  table.remove(all[0]);
  assert.equal(table.remove(all[0]), false, 'once');
  await until(() => table.rows().length === all.length - 1);
  for (const id of all) table.remove(id);
  await until(() => table.rows().length === 0);
  assert.equal(count(), '');
  assert.match(window.document.querySelector('tr.empty').textContent, /No items/);
});

test('an emptied table counts nothing, though Horizon may', async (t) => {
  const { table, count, window } = open(t);
  window.horizon.datatables.update_footer_count = ($table) => $table.find('span.table_count').text('Displaying -1 items');
  for (const row of table.rows()) table.remove(row.dataset.objectId);
  await until(() => table.rows().length === 0);
  assert.equal(count(), '');
});

test('a page read again is what the table becomes', async (t) => {
  const { table, names, count } = open(t);
  const later = openPage(recorded('instances-later'));
  t.after(later.close);
  const wanted = [...later.window.document.querySelectorAll('#instances tbody tr[data-display]')].map((row) => row.dataset.display);
  assert.equal(table.load(later.window.document), true);
  await until(() => names().join() === wanted.join());
  assert.match(text(table.row(one)), /Suspended/);
  assert.equal(count(), `Displaying ${wanted.length} items`);
});

test('a page without the table changes nothing', (t) => {
  const { table, names } = open(t);
  const login = openPage('<form id="login"></form>');
  t.after(login.close);
  const before = names();
  assert.equal(table.load(login.window.document), false);
  assert.deepEqual(names(), before);
});

test('an empty table gets its first rows, and the lines that count them', (t) => {
  const { table, names, count, window } = open(t, 'instances-empty');
  assert.equal(table.isEmpty, true);
  const page = openPage(recorded('instances'));
  t.after(page.close);
  table.load(page.window.document);
  assert.ok(names().includes('one'));
  assert.equal(window.document.querySelector('tr.empty'), null);
  assert.equal(count(), `Displaying ${names().length} items`);
  assert.equal(window.document.querySelectorAll('.multi-select-header').length, 1);
  assert.equal(window.document.querySelector('th.multi_select_column').classList.contains('hidden'), false, 'a column of checkboxes');
  assert.ok(window.document.getElementById('instances__action_delete'), 'actions on several');
});

test('an empty table that gets rows keeps what is being typed above it', (t) => {
  const { table, window } = open(t, 'instances-empty');
  const input = window.document.querySelector('.table_search input[type="text"]');
  input.value = 'we';
  input.focus();
  const page = openPage(recorded('instances'));
  t.after(page.close);
  table.load(page.window.document);
  assert.equal(window.document.querySelector('.table_search input[type="text"]'), input);
  assert.equal(window.document.activeElement, input);
});

test('what a table says of itself', async (t) => {
  const first = open(t);
  assert.equal(first.table.isFirstPage, true);
  assert.equal(first.table.isPaged, false);
  assert.equal(first.table.isFiltered, false);
  assert.equal(open(t, 'instances', '/project/instances/?marker=abc').table.isFirstPage, false);
  assert.equal(open(t, 'instances', '/project/instances/?page=2').table.isFirstPage, false);
  const filtered = openPage(recorded('instances').replace('value="" type="text"', 'value="web" type="text"'));
  t.after(filtered.close);
  assert.equal(new LegacyTable(filtered.window.document.getElementById('instances'), filtered.window).isFiltered, true);
});

test('where Horizon draws one row', (t) => {
  const { table } = open(t);
  const url = new URL(table.rowURL('5b1c'), 'http://horizon.example');
  assert.equal(url.pathname, '/project/instances/');
  assert.deepEqual(Object.fromEntries(url.searchParams), { action: 'row_update', table: 'instances', obj_id: '5b1c' });
});

test('an answer that is not the row is refused', (t) => {
  const { table } = open(t);
  for (const odd of ['', '<p>Please log in</p>', recorded('row-new'), '<tr></tr><tr></tr>']) assert.equal(table.put(one, odd, { add: true }), false);
});
