// How long a change takes to the page: from nova's acceptance of the request, and
// from the notification that tells it.

import { Browser, eventually, recordNotifications } from './lab.mjs';

const PAGE = '/project/instances/';

// What a notification says of a server, in either format.
function told(notification) {
  const p = notification.payload['nova_object.data'] ?? notification.payload;
  return { at: notification.at, event: notification.event_type.replace('compute.', ''), id: p.uuid ?? p.instance_id, state: p.state, task: p.task_state ?? '' };
}

// When a step is done: by which notification, and what the page shows then.
const STEPS = {
  create: { is: (n) => n.state === 'active' && !n.task, shown: 'Active/None', status: 'ACTIVE' },
  suspend: { is: (n) => n.state === 'suspended' && !n.task, shown: 'Suspended/None', status: 'SUSPENDED' },
  resume: { is: (n) => n.state === 'active' && !n.task, shown: 'Active/None', status: 'ACTIVE' },
  delete: { is: (n) => n.event === 'instance.delete.end' || n.state === 'deleted', shown: 'gone' },
};

// watch has the page note each state that it shows a row in, and when.
const watch = (browser) => browser.page.evaluate(() => {
  window.seen = [];
  const last = new Map();
  const titles = [...document.querySelectorAll('#instances tr.table_column_header th')].map((th) => th.textContent.trim());
  const cell = (row, title) => row.cells[titles.indexOf(title)].textContent.trim();
  const look = () => {
    const rows = new Map([...document.querySelectorAll('#instances tbody tr[data-object-id]')]
      .map((row) => [row.dataset.objectId, row.dataset.realtimeGone ? 'gone' : `${cell(row, 'Status')}/${cell(row, 'Task')}`]));
    for (const id of last.keys()) if (!rows.has(id)) rows.set(id, 'gone');
    for (const [id, state] of rows) {
      if (last.get(id) !== state) window.seen.push({ id, state, at: Date.now() });
      last.set(id, state);
    }
  };
  look();
  new MutationObserver(look).observe(document.querySelector('#instances'), { childList: true, subtree: true, characterData: true, attributes: true });
});
const seen = (browser) => browser.page.evaluate(() => window.seen);

async function openAll(ways) {
  const browsers = {};
  for (const [way, { user, port, ticket }] of Object.entries(ways)) browsers[way] = await Browser.open(user, port, ticket);
  return browsers;
}

/**
 * changes takes servers through their lives.
 *
 * @param {Nova} nova
 * @param {object} ways name → {user, port, ticket, live}
 * @param {number} rounds
 * @returns {Promise<Array<{way: string, step: string, times: Array<{first, accepted, notified}|null>}>>}
 *   times in ms: from nova's acceptance to the first change that the page shows, from
 *   there and from the notification to its showing the end. null: the page did not
 *   show it while the others did, nor in half a minute more
 */
export async function changes(nova, ways, rounds) {
  const browsers = await openAll(ways);
  for (const [way, browser] of Object.entries(browsers)) {
    await browser.goto(PAGE, ways[way].live ? 'live' : 'off');
    await watch(browser);
  }
  const stop = await recordNotifications();
  const done = [];
  for (let round = 0; round < rounds; round++) {
    let id;
    for (const [step, { shown, status }] of Object.entries(STEPS)) {
      const asked = Date.now();
      const answer = await (step === 'create' ? nova.create(`m-${round}`) : step === 'delete' ? nova.delete(id) : nova.act(id, step));
      id ??= answer.server.id;
      done.push({ step, id, asked, accepted: answer.at });
      for (const [way, browser] of Object.entries(browsers)) {
        if (ways[way].live) await eventually(`${step} on the page`, async () => (await seen(browser)).some((s) => s.id === id && s.state === shown && s.at >= asked));
      }
      if (status) await nova.settled(id, status);
    }
  }
  await browsers[Object.keys(ways)[0]].page.waitForTimeout(30_000); // what is not there by then is not coming
  const notifications = (await stop()).map(told);
  const results = [];
  for (const [way, browser] of Object.entries(browsers)) {
    const states = await seen(browser);
    for (const [step, { is, shown }] of Object.entries(STEPS)) {
      const times = done.filter((d) => d.step === step).map(({ id, asked, accepted }) => {
        const state = states.find((s) => s.id === id && s.state === shown && s.at >= asked);
        if (!state) return null;
        const first = states.find((s) => s.id === id && s.at >= asked);
        const notified = notifications.find((n) => n.id === id && n.at >= asked && is(n));
        return { first: first.at - accepted, accepted: state.at - accepted, notified: state.at - notified.at };
      });
      results.push({ way, step, times });
    }
  }
  for (const browser of Object.values(browsers)) await browser.close();
  return results;
}

/**
 * polled looks at a row that Horizon polls itself: one that waits for the user to
 * confirm a resize, when that ends.
 *
 * @returns {Promise<Array<{way: string, times: number[]}>>} ms since the notification
 */
export async function polled(nova, ways, rounds) {
  const { server: { id } } = await nova.create('m-polled');
  await nova.settled(id, 'ACTIVE');
  const browsers = await openAll(ways);
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const active = async (browser) => (await seen(browser)).find((s) => s.id === id && s.state === 'Active/None');
  for (let round = 0; round < rounds; round++) {
    await nova.act(id, 'resize');
    await nova.settled(id, 'VERIFY_RESIZE');
    for (const [way, browser] of Object.entries(browsers)) {
      await browser.goto(PAGE, ways[way].live ? 'live' : 'off');
      await watch(browser);
    }
    // Polling grows rarer, as it does for a row that somebody takes his time to confirm.
    await browsers[Object.keys(ways)[0]].page.waitForTimeout(10_000 + 7000 * round);
    const stop = await recordNotifications();
    const asked = Date.now();
    await nova.act(id, 'revertResize');
    await nova.settled(id, 'ACTIVE');
    for (const browser of Object.values(browsers)) await eventually('reverted on the page', () => active(browser));
    const notified = (await stop()).map(told).find((n) => n.id === id && n.at >= asked && n.state === 'active' && !n.task).at;
    for (const [way, browser] of Object.entries(browsers)) times[way].push((await active(browser)).at - notified);
  }
  await nova.delete(id);
  for (const browser of Object.values(browsers)) await browser.close();
  return Object.entries(times).map(([way, all]) => ({ way, times: all }));
}
