// How long a change takes to the page: from nova's acceptance of the request, and
// from the notification that tells it.

import { Browser, eventually, recordNotifications } from './lab.mjs';

const PAGE = '/project/instances/';
// A step that takes longer than this has failed; Horizon polls every 30 s at the least.
const STEP_MS = 60_000;

// What a notification says of a server, in either format.
function told(notification) {
  const p = notification.payload['nova_object.data'] ?? notification.payload;
  return { at: notification.at, event: notification.event_type.replace('compute.', ''), id: p.uuid ?? p.instance_id, state: p.state, task: p.task_state ?? '' };
}

// When a step is done: by which notification, and what the page shows then, and offers.
const STEPS = {
  create: { is: (n) => n.state === 'active' && !n.task, shown: 'Active/None', offered: 'Suspend Instance', status: 'ACTIVE' },
  suspend: { is: (n) => n.state === 'suspended' && !n.task, shown: 'Suspended/None', offered: 'Resume Instance', status: 'SUSPENDED' },
  resume: { is: (n) => n.state === 'active' && !n.task, shown: 'Active/None', offered: 'Suspend Instance', status: 'ACTIVE' },
  delete: { is: (n) => n.event === 'instance.delete.end' || n.state === 'deleted', shown: 'gone' },
};

// watch has the page note each state that it shows a row in, what it offers, and when.
const watch = (browser) => browser.page.evaluate(() => {
  window.seen = [];
  const last = new Map();
  const titles = [...document.querySelectorAll('#instances tr.table_column_header th')].map((th) => th.textContent.trim());
  const cell = (row, title) => row.cells[titles.indexOf(title)].textContent.trim();
  const look = () => {
    const rows = new Map([...document.querySelectorAll('#instances tbody tr[data-object-id]')].map((row) => [row.dataset.objectId, row.dataset.realtimeGone
      ? ['gone'] : [`${cell(row, 'Status')}/${cell(row, 'Task')}`, row.querySelector('[id$="__action_suspend"]')?.textContent.trim()]]));
    for (const id of last.keys()) if (!rows.has(id)) rows.set(id, ['gone']);
    for (const [id, [state, offered]] of rows) {
      if (last.get(id) !== state + offered) window.seen.push({ id, state, offered, at: Date.now() });
      last.set(id, state + offered);
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
 * changes takes servers through their lives. A round that fails is told and left out.
 *
 * @param {Nova} nova
 * @param {object} ways name → {user, port, ticket, live}
 * @param {number} rounds
 * @param {(what: string) => void} tell
 * @returns {Promise<{rounds: number, results: Array<{way: string, step: string, times: Array<{accepted, notified, whole}|null>}>}>}
 *   how many rounds were completed; times in ms: from nova's acceptance, and from the
 *   notification, to the page's showing the state, and from there to the right actions
 *   with it. null: the page did not show it while the others did, nor in half a minute more
 */
export async function changes(nova, ways, rounds, tell) {
  const browsers = await openAll(ways);
  try {
    for (const [way, browser] of Object.entries(browsers)) {
      await browser.goto(PAGE, ways[way].live ? 'live' : 'off');
      await watch(browser);
    }
    const stop = await recordNotifications();
    const done = [];
    let completed = 0;
    for (let round = 0; round < rounds; round++) {
      try {
        done.push(...await life(nova, ways, browsers, `m-${round}`));
        completed += 1;
      } catch (error) {
        tell(`round ${round + 1} failed: ${error.message}`);
      }
    }
    await browsers[Object.keys(ways)[0]].page.waitForTimeout(30_000); // what is not there by then is not coming
    const notifications = (await stop()).map(told);
    const results = [];
    for (const [way, browser] of Object.entries(browsers)) {
      const states = await seen(browser);
      for (const step of Object.keys(STEPS)) results.push({ way, step, times: done.filter((d) => d.step === step).map((d) => timesOf(d, states, notifications)) });
    }
    return { rounds: completed, results };
  } finally {
    for (const browser of Object.values(browsers)) await browser.close();
  }
}

// One server's life, each step when the pages that are live show the one before.
async function life(nova, ways, browsers, name) {
  const done = [];
  let id;
  for (const [step, { shown, offered, status }] of Object.entries(STEPS)) {
    const asked = Date.now();
    const answer = await (step === 'create' ? nova.create(name) : step === 'delete' ? nova.delete(id) : nova.act(id, step));
    id ??= answer.server.id;
    done.push({ step, id, asked, accepted: answer.at });
    for (const [way, browser] of Object.entries(browsers)) {
      if (!ways[way].live) continue;
      await eventually(`${step} on the page`, async () => (await seen(browser)).some((s) => s.id === id && s.state === shown && s.offered === offered && s.at >= asked), STEP_MS);
    }
    if (status) await nova.settled(id, status);
  }
  return done;
}

function timesOf({ step, id, asked, accepted }, states, notifications) {
  const { is, shown, offered } = STEPS[step];
  const since = states.filter((s) => s.id === id && s.at >= asked && s.state === shown);
  const notified = notifications.find((n) => n.id === id && n.at >= asked && is(n));
  if (since.length === 0 || !notified) return null;
  const whole = since.find((s) => s.offered === offered);
  return { accepted: since[0].at - accepted, notified: since[0].at - notified.at, whole: whole && whole.at - notified.at };
}

/**
 * polled looks at a row that Horizon polls itself: one that waits for the user to
 * confirm a resize, when that ends. A round that fails is told and left out.
 *
 * @returns {Promise<Array<{way: string, times: number[]}>>} ms since the notification
 */
export async function polled(nova, ways, rounds, tell) {
  const { server: { id } } = await nova.create('m-polled');
  await nova.settled(id, 'ACTIVE');
  const browsers = await openAll(ways);
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const active = async (browser) => (await seen(browser)).find((s) => s.id === id && s.state === 'Active/None');
  try {
    for (let round = 0; round < rounds; round++) {
      try {
        await nova.settled(id, 'ACTIVE');
        await nova.act(id, 'resize');
        await nova.settled(id, 'VERIFY_RESIZE');
        for (const [way, browser] of Object.entries(browsers)) {
          await browser.goto(PAGE, ways[way].live ? 'live' : 'off');
          await watch(browser);
        }
        // Polling grows rarer, as it does for a row that somebody takes his time to confirm.
        await browsers[Object.keys(ways)[0]].page.waitForTimeout(10_000 + 5000 * round);
        const stop = await recordNotifications();
        const asked = Date.now();
        await nova.act(id, 'revertResize');
        await nova.settled(id, 'ACTIVE');
        for (const browser of Object.values(browsers)) await eventually('reverted on the page', () => active(browser), STEP_MS);
        const { at } = (await stop()).map(told).find((n) => n.id === id && n.at >= asked && n.state === 'active' && !n.task);
        for (const [way, browser] of Object.entries(browsers)) times[way].push((await active(browser)).at - at);
      } catch (error) {
        tell(`round ${round + 1} failed: ${error.message}`);
      }
    }
  } finally {
    await nova.delete(id).catch(() => {});
    for (const browser of Object.values(browsers)) await browser.close();
  }
  return Object.entries(times).map(([way, all]) => ({ way, times: all }));
}
