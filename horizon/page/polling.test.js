import assert from 'node:assert/strict';
import { test } from 'node:test';

import { stopClock } from './clock.testing.js';
import { ids, openPage, recorded } from './horizon.testing.js';
import { LegacyTable } from './legacy.js';
import { Polling } from './polling.js';

const { two } = ids(recorded('instances'));

// A page with a row that Horizon polls; its requests are answered at once.
function open(t, covered) {
  const page = openPage(recorded('instances'));
  t.after(page.close);
  new LegacyTable(page.window.document.getElementById('instances'), page.window).put(two, recorded('row-in-transition'));
  const clock = stopClock(page.window);
  page.window.horizon.ajax.queue = (options) => {
    page.polled.push(options.url);
    options.complete();
    return page.window.$.Deferred().resolve().promise();
  };
  const now = { ms: 1e12 };
  t.mock.method(Date, 'now', () => now.ms);
  const pass = async (ms) => {
    for (let gone = 0; gone < ms; gone += 500) {
      now.ms += 500;
      await clock.advance(500);
    }
  };
  const state = { covered };
  const polling = new Polling(page.window.horizon.datatables, () => state.covered);
  return { ...page, pass, state, polling };
}

test('Horizon polls as ever where the page is not live', async (t) => {
  const { window, polled, pass } = open(t, false);
  window.horizon.datatables.update();
  await pass(20_000);
  assert.ok(polled.length > 2);
  assert.match(polled[0], new RegExp(`action=row_update.*${two}`));
});

test('it rests while the page is live, and comes back at once and only once', async (t) => {
  const { window, polled, pass, state, polling } = open(t, false);
  window.horizon.datatables.update();
  await pass(10_000);
  state.covered = true;
  await pass(60_000);
  const rested = polled.length;
  await pass(600_000);
  assert.equal(polled.length, rested);
  state.covered = false;
  polling.resume();
  assert.equal(polled.length, rested + 1);
  for (let n = 0; n < 3; n++) { // a connection that comes and goes
    polling.resume();
    await pass(1000);
  }
  const before = polled.length;
  await pass(600_000);
  const often = polled.length - before;
  assert.ok(often >= 600 / 30 - 1 && often <= 600 / 2.5, `${often} rounds in ten minutes are one chain's`);
});
