// Debian's Horizon with the plugin, in Chromium, beside a real cloud that is changed
// from the command line. The lab, its router and its panel are up (see cloud/).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Browser, eventually, lab, openstack } from './lab.mjs';

const INSTANCES = '/project/instances/';
let alpha;
let beta;
const made = [];

async function create(name) {
  const id = await openstack('alpha', 'server', 'create', '--flavor', 'm1.tiny', '--image', 'tiny', '--network', 'alpha', name, '-f', 'value', '-c', 'id');
  made.push(id);
  return id;
}

const shows = (browser, id, ...words) => eventually(`${words} on the page`, async () => {
  const cells = await browser.row(id);
  return words.every((word) => cells?.includes(word));
});
const rowRequests = (browser) => browser.requests.filter(({ url }) => url.includes('action=row_update'));
const drawRequests = (browser) => browser.requests.filter(({ url }) => url.endsWith('/api/realtime/rows/'));
// The project's servers as the page lists them, and as the count below them says.
const listed = (browser) => browser.page.evaluate(() => ({
  rows: document.querySelectorAll('#instances tbody tr[data-object-id]').length,
  count: Number(document.querySelector('#instances tfoot .table_count')?.textContent.match(/\d+/)?.[0] ?? 0),
}));

before(async () => {
  [alpha, beta] = await Promise.all([Browser.open('alpha', 8001), Browser.open('beta', 8001)]);
  await Promise.all([alpha.goto(INSTANCES), beta.goto(INSTANCES)]);
});

after(async () => {
  await Browser.closeAll();
  for (const id of made) await openstack('alpha', 'server', 'delete', id).catch(() => {});
});

test('a server is created, suspended, resumed and deleted, and the open page follows', async (t) => {
  const heardBefore = beta.frames.length;
  const rowsBefore = await listed(alpha);
  let id;
  await t.test('created', async () => {
    id = await create('e2e-life');
    await shows(alpha, id, 'e2e-life', 'Active', 'None', 'Running');
    const now = await listed(alpha);
    assert.equal(now.rows, rowsBefore.rows + 1);
    assert.equal(now.count, now.rows, 'the count follows');
    await alpha.picture('created');
  });
  await t.test('suspended', async () => {
    await openstack('alpha', 'server', 'suspend', id);
    await shows(alpha, id, 'Suspended', 'None');
    await alpha.picture('suspended');
  });
  await t.test('resumed', async () => {
    await openstack('alpha', 'server', 'resume', id);
    await shows(alpha, id, 'Active', 'None', 'Running');
  });
  await t.test('deleted', async () => {
    await openstack('alpha', 'server', 'delete', id);
    await eventually('the row is gone', async () => await alpha.row(id) === null);
    await eventually('the count follows', async () => {
      const now = await listed(alpha);
      return now.rows === rowsBefore.rows && now.count === now.rows;
    });
  });
  await t.test("the other project's page heard nothing of it", async () => {
    assert.ok(alpha.frames.some((frame) => frame.includes(id)), 'the wire is being watched');
    const heard = beta.frames.slice(heardBefore).filter((frame) => frame !== '{}');
    assert.deepEqual(heard, []);
    assert.equal(await beta.row(id), null);
  });
  await t.test('no token reached the browser, and nothing failed in it', async () => {
    const tokens = await alpha.page.evaluate(() => document.documentElement.innerHTML + JSON.stringify({ ...localStorage }) + document.cookie);
    assert.doesNotMatch(tokens + alpha.frames.join(), /gAAAAA/, 'Fernet tokens begin like that');
    assert.deepEqual(alpha.errors, []);
    assert.deepEqual(beta.errors, []);
  });
});

test('what the user is doing is left alone', async (t) => {
  const id = await create('e2e-hold');
  await shows(alpha, id, 'Active');
  const row = `#instances__row__${id}`;
  await t.test('a selected row stays selected', async () => {
    await alpha.page.click(`${row} .themable-checkbox label`);
    await openstack('alpha', 'server', 'suspend', id);
    await shows(alpha, id, 'Suspended', 'None');
    assert.equal(await alpha.page.isChecked(`${row} .table-row-multi-select`), true);
  });
  await t.test('an open menu stays open, and the row follows when it closes', async () => {
    await alpha.page.click(`${row} .actions_column .dropdown-toggle`);
    const drawn = drawRequests(alpha).length;
    await openstack('alpha', 'server', 'resume', id);
    await eventually('the row was drawn', () => drawRequests(alpha).length > drawn);
    await eventually('nova is done', async () => (await openstack('alpha', 'server', 'show', id, '-f', 'value', '-c', 'status')) === 'ACTIVE');
    assert.equal(await alpha.page.isVisible(`${row} .actions_column .dropdown-menu`), true);
    await alpha.picture('menu');
    await alpha.page.click('.page-breadcrumb');
    await shows(alpha, id, 'Active', 'None');
  });
  await t.test('sorting by name holds for what is added', async () => {
    await alpha.page.click('#instances th:has-text("Instance Name")');
    const other = await create('e2e-a-first');
    await shows(alpha, other, 'Active');
    const names = await alpha.page.$$eval('#instances tbody tr[data-display]', (rows) => rows.map((r) => r.dataset.display));
    assert.deepEqual(names, [...names].sort());
    await openstack('alpha', 'server', 'delete', other);
    await eventually('the row is gone', async () => await alpha.row(other) === null);
  });
  await openstack('alpha', 'server', 'delete', id);
  await eventually('the row is gone', async () => await alpha.row(id) === null);
});

test('where nothing lets websockets through, the next transport carries it', async () => {
  const user = await Browser.open('alpha', 8002);
  try {
    await user.goto(INSTANCES);
    const id = await create('e2e-fallback');
    await shows(user, id, 'Active', 'None');
    await openstack('alpha', 'server', 'delete', id);
    await eventually('the row is gone', async () => await user.row(id) === null);
    assert.equal(user.frames.length, 0, 'no websocket frame');
    assert.ok(user.requests.some(({ url, method }) => url.endsWith('/realtime/connection/http_stream') && method === 'POST'));
    await user.picture('fallback');
  } finally {
    await user.close();
  }
});

// A row as a person uses it: its cells and actions.
const use = (row) => ({
  state: [...row.classList].filter((name) => name.startsWith('status_') || name === 'warning').join(),
  cells: [...row.cells].slice(1).map((cell) => cell.textContent.replace(/\s+/g, ' ').trim()).filter((text) => !/(hour|minute|day|week)s?$/.test(text)),
  actions: [...row.querySelectorAll('.actions_column a, .actions_column button')].map((action) => [
    action.id, action.name, action.value, action.getAttribute('href')?.replace(/next=[^&]*/, ''), [...action.classList].filter((name) => !name.startsWith('ng-')).sort().join(' ')].join(' ')), // what Angular marks as seen
});

test('a row that is drawn from its message is the one that Horizon would fetch, without asking for it', async (t) => {
  const id = await create('e2e-payload');
  await eventually('it is active', async () => (await openstack('alpha', 'server', 'show', id, '-f', 'value', '-c', 'status')) === 'ACTIVE');
  const user = await Browser.open('alpha', 8001);
  try {
    await user.goto(INSTANCES);
    await shows(user, id, 'Active', 'None');
    const asked = rowRequests(user).length;
    for (const [act, status, word, ...power] of [['suspend', 'SUSPENDED', 'Suspended'], ['resume', 'ACTIVE', 'Active', 'Running'], ['pause', 'PAUSED', 'Paused'],
      ['unpause', 'ACTIVE', 'Active', 'Running'], ['stop', 'SHUTOFF', 'Shutoff', 'Shut Down'], ['start', 'ACTIVE', 'Active', 'Running'], ['lock', 'ACTIVE', 'Active', 'Running']]) {
      await t.test(act, async () => {
        await openstack('alpha', 'server', act, id);
        await eventually('nova is done', async () => (await openstack('alpha', 'server', 'show', id, '-f', 'value', '-c', 'status')) === status);
        await shows(user, id, word, 'None', ...power);
        const last = await eventually('the row is the one that Horizon would fetch', () => user.page.evaluate(async ([rowID, source]) => {
          const look = new Function(`return ${source}`)();
          const row = document.getElementById(`instances__row__${rowID}`);
          const response = await fetch(`${row.dataset.updateUrl}&compared`, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
          const table = document.createElement('table');
          table.innerHTML = await response.text();
          const [mine, theirs] = [look(row), look(table.rows[0])].map((each) => JSON.stringify(each));
          return mine === theirs && theirs;
        }, [id, use.toString()]));
        assert.match(last, /action_/);
      });
    }
    assert.equal(rowRequests(user).filter(({ url }) => !url.endsWith('&compared')).length, asked, 'none was fetched but to compare');
    assert.deepEqual(user.errors, []);
    await openstack('alpha', 'server', 'unlock', id);
    await openstack('alpha', 'server', 'delete', id);
    await eventually('the row is gone', async () => await user.row(id) === null);
  } finally {
    await user.close();
  }
});

test('in hint mode Horizon fetches the row', async () => {
  const user = await Browser.open('alpha', 8001, { mode: 'hint' });
  try {
    const id = await create('e2e-hint');
    await user.goto(INSTANCES);
    await shows(user, id, 'Active', 'None');
    const asked = rowRequests(user).length;
    await openstack('alpha', 'server', 'suspend', id);
    await shows(user, id, 'Suspended', 'None');
    assert.ok(rowRequests(user).length > asked);
    assert.equal(drawRequests(user).length, 0);
    assert.deepEqual(user.errors, []);
    await openstack('alpha', 'server', 'delete', id);
    await eventually('the row is gone', async () => await user.row(id) === null);
  } finally {
    await user.close();
  }
});

test('toasts tell users what became of what they did, and nobody else', async () => {
  const [user, other] = await Promise.all([Browser.open('alpha', 8001, { toasts: true }), Browser.open('beta', 8001, { toasts: true })]);
  try {
    await Promise.all([user.goto(INSTANCES), other.goto(INSTANCES)]);
    const toasts = (browser) => browser.page.$$eval('.toast .alert, toast .alert', (all) => all.map((alert) => alert.innerText));
    const id = await create('e2e-toast');
    await eventually('the toast', async () => (await toasts(user)).some((text) => /e2e-toast.* is ready/s.test(text)));
    await user.picture('toast');
    assert.deepEqual(await toasts(other), []);
    await openstack('alpha', 'server', 'delete', id);
    await eventually('the row is gone', async () => await user.row(id) === null);
  } finally {
    await Promise.all([user.close(), other.close()]);
  }
});

test('an Angular table follows too', async () => {
  const file = path.join(os.tmpdir(), `e2e-image-${process.pid}`);
  fs.writeFileSync(file, 'x'.repeat(1024));
  const user = await Browser.open('alpha', 8001);
  try {
    await user.goto('/project/images/');
    const texts = () => user.page.$$eval('hz-resource-table tbody tr', (rows) => rows.map((row) => row.innerText.replace(/\s+/g, ' ')));
    await eventually('the list', async () => (await texts()).some((text) => text.includes('tiny')));
    await eventually('Horizon does not poll', () => user.page.evaluate(() => window.angular.element('hz-resource-table').controller('hzResourceTable').ajaxPollInterval === 0));
    await user.page.click('hz-resource-table tbody tr:has-text("tiny") .themable-checkbox label');
    const id = await openstack('alpha', 'image', 'create', '--file', file, '--disk-format', 'raw', 'e2e-image', '-f', 'value', '-c', 'id');
    await eventually('the image on the page', async () => (await texts()).some((text) => /e2e-image .*Active/.test(text)));
    await user.picture('images');
    await openstack('alpha', 'image', 'delete', id);
    await eventually('the image is gone', async () => !(await texts()).some((text) => text.includes('e2e-image')));
    assert.equal(await user.page.isChecked('hz-resource-table tbody tr:has-text("tiny") .themable-checkbox input'), true, 'a selected row stays selected');
    assert.deepEqual(user.errors, []);
  } finally {
    fs.rmSync(file);
    await user.close();
  }
});

// What a timer of Horizon's polling would call: how many requests does it make?
const poll = (browser) => browser.page.evaluate(() => {
  const { ajax, datatables } = window.horizon;
  const { queue } = ajax;
  let requests = 0;
  ajax.queue = (...args) => {
    requests += 1;
    return queue.apply(ajax, args);
  };
  datatables.update();
  ajax.queue = queue;
  return requests;
});

test('polling rests while the page is live, and is back within 5 s when it is not', async (t) => {
  const id = await create('e2e-poll');
  await shows(alpha, id, 'Active');
  await openstack('alpha', 'server', 'resize', '--flavor', 'm1.small', id);
  await eventually('a row that Horizon polls', () => alpha.page.$(`#instances__row__${id}.warning.ajax-update`)
    .then(async (row) => row && (await alpha.row(id)).some((cell) => cell.includes('Confirm or Revert'))));
  await t.test('resting', async () => {
    assert.equal(await poll(alpha), 0);
  });
  await t.test('back', async () => {
    await alpha.page.evaluate(() => {
      const state = document.querySelector('.realtime-state');
      new MutationObserver((_, observer) => {
        window.leftLive = Date.now();
        observer.disconnect();
      }).observe(state, { attributes: true, attributeFilter: ['data-status'] });
    });
    const stop = Date.now();
    await lab('router', 'down');
    const left = await eventually('the page says that it is not live', () => alpha.page.evaluate(() => window.leftLive));
    const back = await eventually('Horizon polls', () => rowRequests(alpha).find(({ at }) => at >= left));
    t.diagnostic(`polling was back ${back.at - left} ms after the page had lost the router, which was ${left - stop} ms after the router was told to stop`);
    assert.ok(back.at - left < 5000, `${back.at - left} ms`);
    assert.notEqual(await alpha.page.getAttribute('.realtime-state', 'data-status'), 'live');
    await alpha.picture('polling');
  });
  await t.test('resting again once the router is back, with nothing missed', async () => {
    await openstack('alpha', 'server', 'resize', 'revert', id);
    await lab('router', 'up');
    await alpha.page.waitForSelector('.realtime-state[data-status="live"]');
    await shows(alpha, id, 'Active', 'None');
    assert.equal(await poll(alpha), 0);
  });
});
