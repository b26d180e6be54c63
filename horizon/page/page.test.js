import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIVE, OFF, RECONNECTING } from '../js/realtime.js';
import { Bus } from './bus.js';
import { settle, stopClock } from './clock.testing.js';
import { ids, openPage, recorded, TICKET } from './horizon.testing.js';
import { LegacyTable } from './legacy.js';
import { Page } from './page.js';

const { one, two } = ids(recorded('instances'));

// Horizon's page with the plugin, all but the connection itself.
async function open(t, { where, ticket = {}, transition = false, hang = false, drawn = () => Response.json({ rows: { [one]: recorded('row-drawn') } }), change = (html) => html } = {}) {
  const opened = openPage(change(recorded('instances')), where);
  t.after(opened.close);
  const { window, polled } = opened;
  const posted = []; // what the plugin's view of rows was asked
  const late = { rows: [], page: [] }; // one function for each request that hangs: its time is over
  const deadlines = new WeakMap();
  t.mock.method(AbortSignal, 'timeout', () => {
    const given = new AbortController();
    deadlines.set(given.signal, given);
    return given.signal;
  });
  const never = (signal, whose) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    whose.push(() => { deadlines.get(signal).abort(); return settle(); });
  });
  window.fetch = async (url, options) => {
    if (!url.endsWith('/api/realtime/rows/')) return never(options.signal, late.page);
    if (hang) return never(options.signal, late.rows);
    posted.push(JSON.parse(options.body));
    return drawn();
  };
  if (transition) new LegacyTable(window.document.getElementById('instances'), window).put(two, recorded('row-in-transition'));
  const clock = stopClock(window);
  const toasts = [];
  window.angular = { element: () => ({ injector: () => ({ get: () => ({ $applyAsync: (act) => act() }) }) }) };
  window.horizon.toast = { add: (...words) => toasts.push(words) };
  let connection;
  class Connection {
    channels = new Map();

    constructor(options) {
      this.tell = options.onStatus;
      connection = this;
    }

    subscribe(channel, handlers) { this.channels.set(channel, handlers); }
  }
  const bus = new Bus(window, async () => ({ ...TICKET, channels: [...TICKET.channels, 'admin/*'], ...ticket }), Connection);
  new Page(window, bus).start();
  await settle();
  const state = () => window.document.querySelector('.realtime-state');
  const hear = (channel, message) => connection.channels.get(channel).onMessage(message, { offset: 41, channel });
  return { window, polled, clock, connection, state, hear, toasts, posted, late };
}

const message = { v: 1, kind: 'server', action: 'update', id: one, name: 'one', status: 'SUSPENDED', task: null, error: null, at: '2026-11-23T10:00:00Z', data: {} };

test("a project's page follows its project, an admin's page all of them", async (t) => {
  assert.deepEqual([...(await open(t)).connection.channels.keys()], ['project/p/instances', 'project/p/floating_ips']);
  assert.deepEqual([...(await open(t, { where: '/admin/instances/' })).connection.channels.keys()], ['admin/instances', 'admin/floating_ips']);
});

test('a page without a table that it knows has nothing to show', async (t) => {
  const { connection, state } = await open(t, { change: () => '<table class="datatable" id="audit"></table>' });
  assert.equal(connection, undefined);
  assert.equal(state(), null);
});

test('a message has the row asked for', async (t) => {
  const { connection, hear, polled, clock } = await open(t);
  connection.tell(LIVE);
  hear('project/p/instances', message);
  await clock.advance(1000);
  assert.equal(polled.length, 1);
  assert.match(polled[0], new RegExp(`action=row_update&table=instances&obj_id=${one}`));
});

test('a floating IP has the row of its server asked for', async (t) => {
  const { connection, hear, polled, clock, window } = await open(t);
  connection.tell(LIVE);
  const fixed = window.document.querySelector(`#instances__row__${one} ul.list-unstyled`).textContent.trim();
  const floating = { v: 1, kind: 'floating_ip', action: 'update', id: 'f', name: '192.0.2.9', data: { fixed_ip_address: fixed } };
  hear('project/p/floating_ips', { ...floating, data: { fixed_ip_address: null } });
  await clock.advance(1000);
  assert.equal(polled.length, 0, 'of no server');
  hear('project/p/floating_ips', floating);
  await clock.advance(1000);
  assert.deepEqual(polled.map((url) => new URL(url, window.location).searchParams.get('obj_id')), [one]);
});

for (const [language, atOnce] of [['en', true], ['fr', false]]) {
  test(`in payload mode Horizon draws the row from the message, in ${language}`, async (t) => {
    const { connection, hear, polled, clock, window, posted } = await open(t, { ticket: { mode: 'payload', language }, where: '/project/instances/?marker=x' });
    connection.tell(LIVE);
    hear('project/p/instances', { ...message, project_id: 'p', data: { power_state: 'suspended', flavor: 'm1.tiny' } });
    const row = () => window.document.getElementById(`instances__row__${one}`);
    assert.equal(/Suspended/.test(row().textContent), atOnce, 'its cells at once, in English');
    await clock.advance(1000);
    assert.match(row().querySelector('.actions_column').textContent, /Resume Instance/);
    assert.equal(polled.length, 0);
    const [{ dashboard, query, rows }] = posted;
    assert.deepEqual([posted.length, dashboard, query, rows[0].id, rows[0].project_id], [1, 'project', '?marker=x', one, 'p']);
    assert.equal(rows[0].data.flavor, undefined, 'only what is drawn is sent');
  });
}

test('a view that does not answer has the row fetched, and the next ones drawn', async (t) => {
  const { connection, hear, polled, clock, late } = await open(t, { ticket: { mode: 'payload' }, hang: true });
  connection.tell(LIVE);
  hear('project/p/instances', message);
  await clock.advance(60_000);
  assert.deepEqual([late.rows.length, polled.length], [1, 0]);
  hear('project/p/instances', { ...message, id: two });
  await late.rows[0]();
  await clock.advance(100);
  assert.deepEqual([late.rows.length, polled.length], [2, 1]);
});

for (const [what, answers, posts] of [
  ['is not there', [404], 1],
  ['draws nothing, time and again', [null, null, null], 3],
  ['fails, or draws nothing now and then', [500, null, null, recorded('row-drawn'), null, null], 7],
]) {
  test(`a view that ${what} is asked ${posts} times of ${answers.length + 1}`, async (t) => {
    const left = [...answers, 500];
    const answer = (next) => (typeof next === 'number' ? new Response('', { status: next }) : Response.json({ rows: { [one]: next } }));
    const { connection, hear, polled, clock, posted, window } = await open(t, { ticket: { mode: 'payload' }, drawn: () => answer(left.shift()) });
    window.horizon.ajax.queue = ({ url }) => { polled.push(url); return window.$.Deferred().reject({ status: 401 }).promise(); };
    connection.tell(LIVE);
    for (let n = 0; n <= answers.length; n++) {
      hear('project/p/instances', { ...message, status: n % 2 ? 'ACTIVE' : 'SUSPENDED', at: `2026-11-23T10:00:0${n}Z` });
      await clock.advance(1000);
    }
    assert.deepEqual([posted.length, polled.length], [posts, answers.length + 1 - answers.filter((a) => typeof a === 'string').length]);
  });
}

test('a page that does not come is read again', async (t) => {
  const { connection, clock, late } = await open(t);
  connection.tell(LIVE);
  connection.channels.get('project/p/instances').onReload();
  await clock.advance(60_000);
  assert.equal(late.page.length, 1);
  await late.page[0]();
  await clock.advance(2000);
  assert.equal(late.page.length, 2);
});

test('an admin\'s rows are those of the admin\'s table', async (t) => {
  const { connection, hear, clock, posted } = await open(t, { ticket: { mode: 'payload' }, where: '/admin/instances/' });
  connection.tell(LIVE);
  hear('admin/instances', message);
  await clock.advance(1000);
  assert.equal(posted[0].dashboard, 'admin');
});

test('Horizon polls until the page is live, and again as soon as it is not', async (t) => {
  const { connection, polled, window } = await open(t, { transition: true });
  const { datatables } = window.horizon;
  datatables.update();
  assert.equal(polled.length, 1, 'not live yet');
  connection.tell(LIVE);
  const now = Date.now();
  t.mock.method(Date, 'now', () => now + 10_000);
  datatables.update();
  assert.equal(polled.length, 1, 'live');
  connection.tell(RECONNECTING);
  assert.equal(polled.length, 2, 'not live any more');
});

test('the state is said in words, and read out when it changes', async (t) => {
  const { connection, state } = await open(t);
  const said = () => [state().dataset.status, state().textContent, state().firstChild.title !== ''];
  assert.equal(state().firstChild.getAttribute('role'), 'status');
  assert.equal(state().querySelector('.fa').getAttribute('aria-hidden'), 'true');
  assert.deepEqual(said(), [RECONNECTING, 'Reconnecting…', true]);
  connection.tell(LIVE);
  assert.deepEqual(said(), [LIVE, 'Live', true]);
  connection.tell(OFF);
  assert.deepEqual(said(), [OFF, 'Not live', true]);
});

test('toasts are the user\'s own, and only where the operator wants them', async (t) => {
  const without = await open(t);
  without.connection.tell(LIVE);
  assert.equal(without.connection.channels.has('user/u/toasts'), false);
  const { connection, hear, toasts } = await open(t, { ticket: { toasts: true } });
  connection.tell(LIVE);
  hear('user/u/toasts', { v: 1, data: { level: 'success', text: 'Server one is active.' } });
  hear('user/u/toasts', { v: 1, data: { level: 'odd', text: 'Told.' } });
  for (const odd of [null, { v: 2, data: { text: 'x' } }, { v: 1, data: { text: '' } }, { v: 1 }]) hear('user/u/toasts', odd);
  assert.deepEqual(toasts, [['success', 'Server one is active.'], ['info', 'Told.']]);
});
