import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle, stopClock } from './clock.testing.js';
import { ids, openPage, recorded } from './horizon.testing.js';
import { KINDS } from './kinds.js';
import { LegacyTable } from './legacy.js';
import { TableSync } from './rows.js';

const { one, two } = ids(recorded('instances'));
const { three } = ids(recorded('row-new'));
const TRANSITION = { id: two, status: 'VERIFY_RESIZE' };

// A page whose requests the test sees, and answers.
function open(t, { page = 'instances', where, kind = KINDS.instances, id = 'instances', draw, change = (html) => html } = {}) {
  const opened = openPage(change(recorded(page)), where);
  t.after(opened.close);
  const clock = stopClock(opened.window);
  const asked = []; // {id, answer}, in the order of asking
  const read = []; // one function for each reading of the page
  const backend = {
    row: (url) => new Promise((resolve) => {
      const answer = (html, status = 200) => { resolve({ status, html }); return settle(); };
      asked.push({ id: new URL(url, 'http://horizon.example').searchParams.get('obj_id'), answer });
    }),
    page: () => new Promise((resolve) => { read.push((document) => { resolve(document); return settle(); }); }),
    isDrawn: () => draw !== undefined,
    isEnglish: () => true,
    draw,
  };
  const table = new LegacyTable(opened.window.document.getElementById(id), opened.window);
  const sync = new TableSync(table, kind, backend, opened.window);
  let second = 0;
  const hear = (members) => {
    second += 1;
    const at = new Date(1e12 + second * 1000).toISOString();
    const message = { v: 1, kind: 'server', action: 'update', id: one, name: 'one', status: `S${second}`, task: null, error: null, at, data: {}, ...members };
    sync.hear(message, { offset: second });
    return message;
  };
  const hide = (hidden) => {
    Object.defineProperty(opened.window.document, 'hidden', { value: hidden, configurable: true });
    opened.window.document.dispatchEvent(new opened.window.Event('visibilitychange'));
  };
  return { ...opened, clock, asked, read, sync, table, hear, hide };
}

test('many messages about a row are one request, and one more for what came during it', async (t) => {
  const { clock, asked, hear, table } = open(t);
  for (let n = 0; n < 5; n++) hear();
  await clock.advance(1000);
  assert.equal(asked.length, 1);
  for (let n = 0; n < 5; n++) hear();
  await clock.advance(60_000);
  assert.equal(asked.length, 1, 'one at a time');
  await asked[0].answer(recorded('row-suspended'));
  assert.match(table.row(one).textContent, /Suspended/);
  await clock.advance(1000);
  assert.equal(asked.length, 2, 'what came meanwhile is newer than the answer');
  await asked[1].answer(recorded('row-suspended'));
  await clock.advance(60_000);
  assert.equal(asked.length, 2);
});

test('a row that is soon at rest again is asked for once, when it is', async (t) => {
  const { clock, asked, hear } = open(t);
  hear({ task: 'suspending' });
  await clock.advance(200);
  hear({ task: 'suspending', data: { power_state: 'running' } });
  hear({ status: 'SUSPENDED' });
  await clock.advance(100);
  assert.equal(asked.length, 1);
  await asked[0].answer(recorded('row-suspended'));
  await clock.advance(60_000);
  assert.equal(asked.length, 1);
});

test('a row that goes from task to task is drawn when it begins, now and then, and when it ends', async (t) => {
  const { clock, asked, hear } = open(t);
  hear({ task: 'resize_prep' });
  await clock.advance(400);
  assert.equal(asked.length, 1, 'begins');
  hear({ task: 'resize_migrating' });
  await asked[0].answer(recorded('row-in-transition').replaceAll(two, one));
  for (const task of ['resize_migrated', 'resize_finish']) {
    hear({ task });
    await clock.advance(500);
  }
  assert.equal(asked.length, 1);
  await clock.advance(2000);
  assert.equal(asked.length, 2, 'now and then');
  hear({ task: null, status: 'VERIFY_RESIZE' });
  await asked[1].answer(recorded('row-in-transition').replaceAll(two, one));
  await clock.advance(100);
  assert.equal(asked.length, 3, 'ends');
});

test('what is told twice, is old, or is no panel message asks for nothing', async (t) => {
  const { clock, asked, hear, sync } = open(t);
  const message = hear();
  await clock.advance(1000);
  await asked[0].answer(recorded('row-suspended'));
  sync.hear(message, { offset: 9 });
  sync.hear({ ...message, at: new Date(Date.parse(message.at) - 1000).toISOString(), status: 'OLD' }, { offset: 10 });
  for (const odd of [null, 'text', { v: 2, id: one }, { v: 1, id: 7 }]) sync.hear(odd, { offset: 11 });
  await clock.advance(60_000);
  assert.equal(asked.length, 1);
});

test('a deleted row goes without a request, and a late answer does not bring it back', async (t) => {
  const { clock, asked, hear, table } = open(t);
  hear();
  await clock.advance(100);
  hear({ action: 'delete' });
  assert.ok(table.row(one).classList.contains('realtime-removed'), 'marked');
  await asked[0].answer(recorded('row-suspended'));
  await clock.advance(1000);
  assert.equal(table.row(one), null);
  hear();
  await clock.advance(1000);
  assert.equal(table.row(one), null);
  assert.equal(asked.length, 1);
});

test('a new row is added to the first page of the unfiltered list', async (t) => {
  const { clock, asked, hear, table } = open(t);
  hear({ id: three, action: 'create' });
  await clock.advance(100);
  assert.deepEqual(asked.map(({ id }) => id), [three]);
  await asked[0].answer(recorded('row-new'));
  assert.equal(table.rows()[0], table.row(three));
});

for (const [what, options] of Object.entries({
  'another page': { where: '/project/instances/?marker=abc' },
  'a filtered list': { change: (html) => html.replace('value="" type="text"', 'value="web" type="text"') },
  'a page of something else': { where: '/project/networks/1/detail' },
})) {
  test(`a new row is not added to ${what}`, async (t) => {
    const { clock, asked, read, hear } = open(t, options);
    hear({ id: three, action: 'create' });
    await clock.advance(60_000);
    assert.equal(asked.length + read.length, 0);
    hear();
    await clock.advance(1000);
    assert.equal(asked.length, 1, 'while rows that are there follow');
  });
}

test('of several pages the first gets what is created, not what is older', async (t) => {
  const { clock, asked, hear } = open(t, { change: (html) => html.replace('</tfoot>', '<tr><td><a href="?marker=z">Next</a></td></tr></tfoot>') });
  hear({ id: three });
  await clock.advance(1000);
  assert.equal(asked.length, 0);
  hear({ id: three, action: 'create' });
  await clock.advance(1000);
  assert.equal(asked.length, 1);
});

test('many rows at once are one reading of the page', async (t) => {
  const { clock, asked, read, hear, table } = open(t);
  for (let n = 0; n < 5; n++) hear({ id: `new-${n}`, action: 'create' });
  await clock.advance(1000);
  assert.equal(asked.length, 0);
  assert.equal(read.length, 1);
  const later = openPage(recorded('instances-later'));
  t.after(later.close);
  await read[0](later.window.document);
  assert.match(table.row(one).textContent, /Suspended/);
});

test('an empty list, and rows that Horizon cannot draw alone, are read as a page', async (t) => {
  const empty = open(t, { page: 'instances-empty' });
  empty.hear({ id: three, action: 'create' });
  const networks = open(t, { page: 'networks', where: '/project/networks/', kind: KINDS.networks, id: 'networks' });
  networks.hear({ id: three, action: 'create' });
  for (const { clock, asked, read } of [empty, networks]) {
    await clock.advance(1000);
    assert.deepEqual([asked.length, read.length], [0, 1]);
  }
});

test('while nobody looks nothing is asked for', async (t) => {
  const { clock, asked, hear, hide } = open(t);
  hide(true);
  hear();
  hear();
  await clock.advance(60_000);
  assert.equal(asked.length, 0);
  hide(false);
  await clock.advance(1000);
  assert.equal(asked.length, 1);
});

test('a row that is gone goes, one that fails is asked for again a few times', async (t) => {
  const { clock, asked, hear, hide, table } = open(t);
  hear();
  hear({ id: two });
  await clock.advance(100);
  await asked[0].answer('', 404);
  await clock.advance(1000);
  assert.equal(table.row(one), null);
  const pauses = [];
  for (const request of [1, 2, 3, 4, 5]) {
    await asked[request].answer('', 500);
    let s = 0;
    for (; s < 60 && asked.length === request + 1; s++) await clock.advance(1000);
    pauses.push(s);
  }
  assert.deepEqual(pauses, [2, 4, 8, 16, 60], 'and no more');
  assert.notEqual(table.row(two), null);
  hide(true);
  hide(false);
  await clock.advance(1000);
  assert.equal(asked.length, 7, 'but when somebody looks again');
});

test('a page that could not be read is read again a few times, and when somebody looks again', async (t) => {
  const { clock, asked, read, hear, hide, window } = open(t);
  hide(true);
  for (let n = 0; n < 5; n++) hear({ id: `new-${n}`, action: 'create' });
  hide(false);
  const pauses = [];
  await clock.advance(100);
  for (const request of [0, 1, 2, 3, 4]) {
    await read[request](request % 2 ? null : new window.DOMParser().parseFromString('<form id="login">', 'text/html'));
    let s = 0;
    for (; s < 60 && read.length === request + 1; s++) await clock.advance(1000);
    pauses.push(s);
  }
  assert.deepEqual(pauses, [2, 4, 8, 16, 60]);
  for (const readings of [6, 6]) { // the second time nothing is left to read
    hide(true);
    hide(false);
    await clock.advance(1000);
    assert.deepEqual([read.length, asked.length], [readings, 0]);
    await read.at(-1)(window.document);
  }
});

test('what was heard while nobody looked is not taken for read when a page comes that is older', async (t) => {
  const { clock, asked, read, hear, hide } = open(t);
  hide(true);
  for (const id of [one, two, 'n1', 'n2', 'n3']) hear({ id, action: 'create' });
  hide(false);
  await clock.advance(100);
  hide(true);
  hear();
  const page = openPage(recorded('instances'));
  t.after(page.close);
  await read[0](page.window.document);
  hide(false);
  await clock.advance(1000);
  assert.deepEqual([asked.map(({ id }) => id), read.length], [[one], 1]);
});

// A page whose request went out first, and which is answered last.
async function reading(t, options) {
  const opened = open(t, options);
  const { clock, read, sync } = opened;
  const before = openPage(recorded('instances'));
  t.after(before.close);
  sync.read();
  await clock.advance(100);
  return { ...opened, loaded: async () => { await read[0](before.window.document); await clock.advance(1000); } };
}

test('a page that was read before a message does not undo it', async (t) => {
  const { asked, read, clock, hear, table, loaded } = await reading(t, { draw: async () => ({ [one]: recorded('row-drawn') }) });
  hear({ status: 'SUSPENDED' });
  hear({ id: two, action: 'delete' });
  await clock.advance(1000);
  await loaded();
  assert.match(table.row(one).textContent, /Resume Instance/);
  assert.equal(table.row(two), null);
  assert.deepEqual([asked.length, read.length], [0, 1]);
});

test('a row that goes while the page is read is not brought back', async (t) => {
  const { asked, clock, hear, table, loaded } = await reading(t);
  hear();
  await clock.advance(100);
  await asked[0].answer('', 404);
  await clock.advance(1000);
  table.row(two).cells[6].textContent = 'Suspended'; // other than the page has it
  hear({ id: two, action: 'delete' });
  await loaded(); // while it is struck through
  assert.deepEqual([table.row(one), table.row(two)], [null, null]);
});

test('a row that only the page brings, and of which something was heard meanwhile, is asked for', async (t) => {
  const { asked, read, clock, hear, table, loaded } = await reading(t, { change: (html) => html.replace('</tfoot>', '<tr><td><a href="?marker=z">Next</a></td></tr></tfoot>') });
  table.row(two).remove();
  hear({ id: two });
  await clock.advance(1000);
  assert.equal(asked.length, 0, 'it may be of another page');
  await loaded();
  assert.notEqual(table.row(two), null);
  assert.deepEqual([asked.map(({ id }) => id), read.length], [[two], 1]);
});

test('a row in transition that falls silent is asked for, ever less often', async (t) => {
  const { clock, asked, hear, sync, table } = open(t);
  const row = recorded('row-in-transition').replaceAll('__action_confirm', '');
  hear(TRANSITION);
  await clock.advance(100);
  await asked[0].answer(row);
  assert.deepEqual(table.inTransition(), [table.row(two)]);
  const times = [];
  for (let now = 5000; now <= 200_000; now += 5000) {
    const before = asked.length;
    sync.reconcile(now);
    await clock.advance(1000);
    if (asked.length === before) continue;
    times.push(now / 1000);
    await asked.at(-1).answer(row);
  }
  assert.deepEqual(times, [35, 125]);
});

test('a floating IP has asked for the rows that show it without its server, or that without it', async (t) => {
  const shows = (text) => (html) => html.replace(/(<ul class="list-unstyled">\s*)[\d.]+/g, `$1${text}`); // in all rows
  for (const [shown, message, wanted] of [
    ['10.0.0.4', { data: { fixed_ip_address: '10.0.0.4' } }, 2], // given
    ['10.0.0.4, 192.0.2.9', { data: { fixed_ip_address: '10.0.0.4' } }, 0], // as shown
    ['10.0.0.4, 192.0.2.9', { data: { fixed_ip_address: null } }, 2], // taken away
    ['10.0.0.4, 192.0.2.9', { data: {}, action: 'delete' }, 2],
    ['10.0.0.5', { data: { fixed_ip_address: '10.0.0.4' } }, 0], // another's
  ]) {
    const { clock, asked, sync } = open(t, { change: shows(shown) });
    sync.hearFloating({ v: 1, kind: 'floating_ip', action: 'update', id: 'f', name: '192.0.2.9', ...message });
    await clock.advance(1000);
    assert.equal(asked.length, wanted, shown);
  }
});

test('a row that waits for the user is not asked for meanwhile', async (t) => {
  const { clock, asked, hear, sync } = open(t);
  hear(TRANSITION);
  await clock.advance(100);
  await asked[0].answer(recorded('row-in-transition'));
  for (let now = 5000; now <= 2_000_000; now += 5000) sync.reconcile(now);
  await clock.advance(1000);
  assert.equal(asked.length, 1);
});
