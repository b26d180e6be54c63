import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle, stopClock } from './clock.testing.js';
import { Drawing } from './drawing.js';
import { ids, openPage, recorded } from './horizon.testing.js';
import { LegacyTable } from './legacy.js';

const { one, two } = ids(recorded('instances'));

// A table whose drawing the test sees, and answers.
function open(t, { change = (html) => html, english = false } = {}) {
  const opened = openPage(change(recorded('instances')));
  t.after(opened.close);
  const clock = stopClock(opened.window);
  const posts = []; // {rows, answer}
  const asked = [];
  const known = new Map();
  const backend = {
    isEnglish: () => english,
    draw: (rows) => new Promise((resolve) => { posts.push({ rows, answer: (drawn) => { resolve(drawn); return settle(); } }); }),
  };
  const table = new LegacyTable(opened.window.document.getElementById('instances'), opened.window);
  const drawing = new Drawing(table, opened.window, backend, (id) => known.get(id), (id) => { drawing.drop(id); asked.push(id); });
  const hear = (members = {}, ms = 0) => {
    const message = { v: 1, id: one, name: 'one', status: 'SUSPENDED', task: null, error: null, data: {}, ...members };
    const before = known.get(message.id);
    known.set(message.id, message);
    return drawing.take(table.row(message.id), message, before ? ['status'] : [], before, ms);
  };
  const hide = (hidden) => Object.defineProperty(opened.window.document, 'hidden', { value: hidden, configurable: true });
  return { ...opened, clock, posts, asked, known, table, drawing, hear, hide };
}

test('rows that are due together are one request, and one is under way at a time', async (t) => {
  const { clock, posts, hear } = open(t);
  hear({ status: 'ACTIVE' }, 60);
  hear({}, 60);
  hear({ id: two }, 60);
  await clock.advance(60);
  assert.deepEqual(posts.map(({ rows }) => rows.map(({ id, status }) => [id, status])), [[[one, 'SUSPENDED'], [two, 'SUSPENDED']]]);
  hear({ id: two, status: 'ACTIVE' });
  await clock.advance(60_000);
  assert.equal(posts.length, 1);
  await posts[0].answer({ [one]: recorded('row-drawn'), [two]: null });
  await clock.advance(0);
  assert.deepEqual(posts[1].rows.map(({ id, status }) => [id, status]), [[two, 'ACTIVE']]);
});

test('the row is told as far as it is drawn, with the addresses that the page shows', async (t) => {
  const { clock, posts, hear, table } = open(t, { change: (html) => html.replace(/(<ul class="list-unstyled">\s*)([\d.]+)/g, '$1<b>10.0.0.0/8</b> $2, 192.0.2.9, 2001:db8::1') });
  const address = table.row(one).querySelector('ul').textContent.match(/10\.[\d.]+(?=,)/)[0];
  const members = { project_id: 'p', at: '2026-11-23T10:00:00Z', data: { locked: false, image_name: 'tiny', addresses: [{ address }] } };
  assert.equal(hear(members), false, 'the others may have been taken away');
  hear(members);
  await clock.advance(0);
  assert.deepEqual(posts[0].rows, [{ id: one, name: 'one', status: 'SUSPENDED', task: null, project_id: 'p', data: { locked: false, addresses: [{ address }] }, shown: [address, '192.0.2.9', '2001:db8::1'] }]);
});

test('what Horizon does not draw is fetched', async (t) => {
  for (const answer of [null, {}, { [one]: null }, { [one]: '<tr></tr>' }]) {
    const { clock, posts, asked, hear } = open(t);
    assert.equal(hear(), true);
    await clock.advance(0);
    await posts[0].answer(answer);
    assert.deepEqual(asked, [one]);
  }
});

test('what only Horizon knows is not taken', async (t) => {
  const { clock, posts, hear } = open(t);
  assert.equal(hear({ error: 'no host' }), false);
  await clock.advance(60_000);
  assert.equal(posts.length, 0);
});

test('its words are shown until it is fetched', async (t) => {
  for (const english of [true, false]) {
    const { hear, table } = open(t, { english });
    assert.equal(hear({ error: 'no host', status: 'ERROR' }), false);
    assert.equal(/Error/.test(table.row(one).textContent), english);
  }
});

test('an answer is not put when something newer is known', async (t) => {
  const { clock, posts, asked, hear, table, drawing } = open(t);
  const html = table.row(one).outerHTML;
  hear();
  await clock.advance(0);
  hear({ status: 'ACTIVE' }, 1000);
  await posts[0].answer({ [one]: recorded('row-drawn') });
  assert.equal(table.row(one).outerHTML, html);
  await clock.advance(1000);
  assert.equal(posts.length, 2, 'it is drawn again');
  drawing.drop(one); // fetched
  await posts[1].answer({ [one]: recorded('row-drawn') });
  assert.equal(table.row(one).outerHTML, html);
  assert.deepEqual(asked, []);
});

test('while nobody looks nothing is drawn', async (t) => {
  const { clock, posts, hear, hide, drawing } = open(t);
  hide(true);
  hear();
  await clock.advance(60_000);
  assert.equal(posts.length, 0);
  hide(false);
  drawing.wake();
  await clock.advance(0);
  assert.equal(posts.length, 1);
});

test('actions that the message does not tell are fetched once, when somebody reaches for the row', async (t) => {
  const { clock, posts, asked, hear, table, window } = open(t);
  for (const n of [0, 1]) {
    hear();
    await clock.advance(0);
    await posts[n].answer({ [one]: recorded('row-drawn-in-part') });
  }
  assert.deepEqual(asked, []);
  table.row(one).dispatchEvent(new window.Event('focusin'));
  table.row(one).dispatchEvent(new window.Event('pointerenter'));
  assert.deepEqual(asked, [one]);
});

// A row that is held by its open menu, until close.
function held(table, window, clock) {
  const group = table.row(one).querySelector('.btn-group');
  group.classList.add('open');
  return () => {
    group.classList.remove('open');
    window.$(group).trigger('hidden.bs.dropdown');
    return clock.advance(0);
  };
}

test('so are those of a row that was drawn while its menu was open', async (t) => {
  const { clock, posts, asked, hear, table, window } = open(t);
  const close = held(table, window, clock);
  hear();
  await clock.advance(0);
  await posts[0].answer({ [one]: recorded('row-drawn-in-part') });
  await close();
  assert.match(table.row(one).textContent, /Suspended/);
  table.row(one).dispatchEvent(new window.Event('focusin'));
  assert.deepEqual(asked, [one]);
});

test('what waits for a menu to close is not put when something newer is known', async (t) => {
  for (const newer of [({ hear }) => hear({ status: 'PAUSED' }, 1000), ({ drawing }) => drawing.drop(one)]) {
    const opened = open(t);
    const { clock, posts, hear, table, window } = opened;
    const close = held(table, window, clock);
    hear();
    await clock.advance(0);
    await posts[0].answer({ [one]: recorded('row-drawn') });
    newer(opened);
    await close();
    assert.doesNotMatch(table.row(one).textContent, /Suspended/);
  }
});

test('a row of which nothing is known any more is fetched', async (t) => {
  const { clock, posts, asked, hear, known } = open(t);
  hear();
  known.clear();
  await clock.advance(0);
  assert.deepEqual([posts.length, asked], [0, [one]]);
});

test('many rows are several requests', async (t) => {
  const rows = Array.from({ length: 25 }, (_, n) => `<tr id="instances__row__n${n}" data-object-id="n${n}"></tr>`).join('');
  const { clock, posts, hear } = open(t, { change: (html) => html.replace('</tbody>', `${rows}</tbody>`) });
  for (let n = 0; n < 25; n++) hear({ id: `n${n}` });
  await clock.advance(0);
  assert.equal(posts[0].rows.length, 20);
  await posts[0].answer({});
  await clock.advance(0);
  assert.equal(posts[1].rows.length, 5);
});
