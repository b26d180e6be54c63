// Which calls the services get for a page with many servers. A twentieth of them are
// in transition all the time, waiting for a resize to be confirmed, which is what
// Horizon polls; and a twentieth change each minute. Counted in the services' own logs.

import fs from 'node:fs';

import { Browser, eventually, openstack, sh } from './lab.mjs';

const PAGE = '/project/instances/';
const SERVICES = ['nova-api', 'neutron', 'glance', 'cinder-api'];
const CHANGING = 1 / 20; // of the servers, each minute; and as many wait
// A page asks for more than its rows when it opens, and a log is written a moment later.
const SETTLE_MS = 5000;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, Math.max(0, ms)); });

// openLogs counts from here on. Keystone's log does not say for whom it was asked, but by whom.
async function openLogs() {
  const folder = (await sh('echo $LOG')).trim();
  const marks = new Map([...SERVICES, 'keystone'].map((name) => [name, fs.statSync(`${folder}/${name}.log`).size]));
  const lines = (name) => fs.readFileSync(`${folder}/${name}.log`).subarray(marks.get(name)).toString().split('\n');
  return {
    /** of counts a user's calls: service → number. */
    of: (userID) => Object.fromEntries(SERVICES.map((name) => [name, lines(name).filter((line) => line.includes(userID) && /"(GET|POST|PUT|DELETE|HEAD) /.test(line)).length])),
    /** keystone counts by who asks: agent → number. */
    keystone() {
      const counts = {};
      for (const line of lines('keystone')) {
        const agent = line.match(/ \/v3\S* \d+ ms (\S+)/)?.[1]?.replace(/\/.*/, '');
        if (agent) counts[agent] = (counts[agent] ?? 0) + 1;
      }
      return counts;
    },
  };
}

// Makes the servers, and has some of them wait.
async function stock(nova, wanted) {
  await nova.create('many', wanted);
  const ids = await eventually('all servers are there', async () => {
    const servers = await nova.named('many');
    return servers.length === wanted && servers.every(({ status }) => status === 'ACTIVE') && servers.map(({ id }) => id);
  }, 300_000);
  const waiting = ids.splice(0, Math.round(wanted * CHANGING));
  for (const id of waiting) await nova.act(id, 'resize');
  for (const id of waiting) await nova.settled(id, 'VERIFY_RESIZE');
  return { steady: ids, waiting };
}

// What one row and one page cost Horizon, with nobody else there.
async function costs({ user, port, ticket }, userID, id) {
  const browser = await Browser.open(user, port, ticket);
  const cost = async (where, headers) => {
    await pause(SETTLE_MS);
    const since = await openLogs();
    const response = await browser.context.request.get(browser.origin + where, { headers, timeout: 120_000 });
    if (!response.ok()) throw new Error(`${where}: ${response.status()}`);
    await pause(SETTLE_MS);
    const count = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
    return { services: count(since.of(userID)), keystone: count(since.keystone()) };
  };
  try {
    return {
      row: await cost(`${PAGE}?action=row_update&table=instances&obj_id=${id}`, { 'X-Requested-With': 'XMLHttpRequest' }),
      page: await cost(PAGE),
    };
  } finally {
    await browser.close();
  }
}

// One server suspended or resumed after the other, evenly over the time. One that
// nova refuses to change is told and left out.
async function change(nova, steady, end, apart, tell) {
  const changed = new Map(); // id → what its row shows in the end
  let count = 0;
  for (let n = 0, at = Date.now(); at < end; n++, at += apart) {
    await pause(at - Date.now());
    const id = steady[(n * 7) % steady.length];
    try {
      const suspend = await nova.status(id) === 'ACTIVE';
      await nova.act(id, suspend ? 'suspend' : 'resume');
      changed.set(id, suspend ? ['Suspended', 'Resume Instance'] : ['Active', 'Suspend Instance']);
      count += 1;
    } catch (error) {
      tell(`a change failed: ${error.message}`);
    }
  }
  await pause(end - Date.now());
  return { changed, count };
}

// Rows that show another status than nova, or offer the actions of another.
async function countWrong(browser, changed) {
  let wrong = 0;
  for (const [id, [status, offered]] of changed) {
    const right = await eventually('the row', async () => { // the page may be reloading
      const cells = await browser.row(id);
      return { is: cells?.includes(status) && cells.at(-1) !== undefined && (await browser.page.textContent(`#instances__row__${id} .actions_column`)).includes(offered) };
    });
    if (!right.is) wrong += 1;
  }
  return wrong;
}

/**
 * calls counts.
 *
 * @param {object} ways name → {user, port, ticket, live, reload}, the last one in ms
 * @param {(what: string) => void} tell
 * @returns {Promise<object>} changed: changes made; waiting: rows that wait; minutes;
 *   ways: [{way, services: {service: calls}, router, wrong}], calls for one user and hour,
 *   router: those that the router makes of keystone; wrong: rows that are not as nova has
 *   them in the end; costs: {row, page}, each {services, keystone}, one's calls
 */
export async function calls(nova, ways, minutes, wanted, tell) {
  const { steady, waiting } = await stock(nova, wanted);
  const userIDs = {};
  for (const [way, { user }] of Object.entries(ways)) userIDs[way] = await openstack('admin', 'user', 'show', user, '-f', 'value', '-c', 'id');
  const [alone] = Object.keys(ways).filter((way) => !ways[way].live);
  const cost = await costs(ways[alone], userIDs[alone], steady[0]);
  const browsers = {};
  let reloads = [];
  try {
    for (const [way, { user, port, ticket, live }] of Object.entries(ways)) {
      browsers[way] = await Browser.open(user, port, ticket);
      await browsers[way].goto(PAGE, live ? 'live' : 'off');
    }
    await pause(SETTLE_MS); // what the pages ask for when they open is not counted
    const since = await openLogs();
    const began = Date.now();
    reloads = Object.entries(ways).filter(([, { reload }]) => reload)
      .map(([way, { reload }]) => setInterval(() => browsers[way].page.reload().catch(() => {}), reload));
    const { changed, count } = await change(nova, steady, began + minutes * 60_000, 60_000 / (wanted * CHANGING), tell);
    await pause(SETTLE_MS); // for the last change
    const hours = (Date.now() - began) / 3_600_000;
    reloads.forEach(clearInterval);
    reloads = [];
    const live = Object.values(ways).filter((way) => way.live).length;
    const router = Math.round((since.keystone()['horizon-realtime'] ?? 0) / live / hours);
    const counted = Object.fromEntries(Object.keys(ways).map((way) => [way, since.of(userIDs[way])]));
    const results = [];
    for (const way of Object.keys(ways)) {
      const services = Object.fromEntries(Object.entries(counted[way]).map(([service, n]) => [service, Math.round(n / hours)]));
      results.push({ way, services, router: ways[way].live ? router : 0, wrong: await countWrong(browsers[way], changed) });
    }
    return { changed: count, waiting: waiting.length, minutes: hours * 60, ways: results, costs: cost };
  } finally {
    reloads.forEach(clearInterval);
    for (const browser of Object.values(browsers)) await browser.close();
  }
}
