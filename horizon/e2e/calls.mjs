// Which calls the services get for a page with many servers. A twentieth of them are
// in transition all the time, waiting for a resize to be confirmed, which is what
// Horizon polls; and a twentieth change each minute. Counted in the services' own logs.

import fs from 'node:fs';

import { Browser, eventually, openstack, sh } from './lab.mjs';

const PAGE = '/project/instances/';
const SERVICES = ['nova-api', 'neutron', 'glance', 'cinder-api'];
const CHANGING = 1 / 20; // of the servers, each minute; and as many wait

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, Math.max(0, ms)); });

// Logs from here on.
async function openLogs() {
  const folder = (await sh('echo $LOG')).trim();
  const marks = new Map([...SERVICES, 'keystone'].map((name) => [name, fs.statSync(`${folder}/${name}.log`).size]));
  return (name) => fs.readFileSync(`${folder}/${name}.log`).subarray(marks.get(name)).toString().split('\n');
}

// Makes the servers, and has some of them wait.
async function stock(nova, wanted) {
  await nova.create('many', wanted);
  const ids = await eventually('all servers are there', async () => {
    const servers = await nova.named('many');
    return servers.length === wanted && servers.every(({ status }) => status === 'ACTIVE') && servers.map(({ id }) => id);
  }, 900_000);
  const waiting = ids.splice(0, Math.round(wanted * CHANGING));
  for (const id of waiting) await nova.act(id, 'resize');
  for (const id of waiting) await nova.settled(id, 'VERIFY_RESIZE');
  return { steady: ids, waiting };
}

/**
 * calls counts.
 *
 * @param {object} ways name → {user, port, ticket, live, reload}, the last one in ms
 * @returns {Promise<{changed: number, waiting: number, minutes: number, ways: Array<{way: string, calls: object, wrong: number}>, keystone: object}>}
 *   calls: service → calls for one user and hour; wrong: rows that show something
 *   else than nova in the end; keystone: who asks → calls an hour, of all together
 */
export async function calls(nova, ways, minutes, wanted) {
  const { steady, waiting } = await stock(nova, wanted);
  const browsers = {};
  const userIDs = {};
  for (const [way, { user, port, ticket, live }] of Object.entries(ways)) {
    browsers[way] = await Browser.open(user, port, ticket);
    await browsers[way].goto(PAGE, live ? 'live' : 'off');
    userIDs[way] = await openstack('admin', 'user', 'show', user, '-f', 'value', '-c', 'id');
  }
  await pause(5000); // what the pages ask for when they open is not counted
  const since = await openLogs();
  const began = Date.now();
  const end = began + minutes * 60_000;
  const reloads = Object.entries(ways).filter(([, { reload }]) => reload)
    .map(([way, { reload }]) => setInterval(() => browsers[way].page.reload().catch(() => {}), reload));
  const apart = 60_000 / (wanted * CHANGING);
  const changed = new Map();
  let count = 0;
  for (let at = began; at < end; at += apart) {
    await pause(at - Date.now());
    const id = steady[(count * 7) % steady.length];
    const suspend = await nova.status(id) === 'ACTIVE';
    await nova.act(id, suspend ? 'suspend' : 'resume');
    changed.set(id, suspend ? 'Suspended' : 'Active');
    count += 1;
  }
  await pause(end - Date.now());
  await pause(5000); // for the last change
  reloads.forEach(clearInterval);
  const hours = (Date.now() - began) / 3_600_000;
  const results = Object.keys(ways).map((way) => {
    const made = (service) => since(service).filter((line) => line.includes(userIDs[way]) && /"(GET|POST|PUT|DELETE|HEAD) /.test(line)).length;
    return { way, calls: Object.fromEntries(SERVICES.map((service) => [service, Math.round(made(service) / hours)])), wrong: 0 };
  });
  for (const result of results) {
    for (const [id, word] of changed) {
      const { cells } = await eventually('the page', async () => ({ cells: await browsers[result.way].row(id) })); // it may be reloading
      if (!cells?.includes(word)) result.wrong += 1;
    }
    await browsers[result.way].close();
  }
  const keystone = {};
  for (const line of since('keystone')) {
    const agent = line.match(/ \/v3\S* \d+ ms (\S+)/)?.[1]?.replace(/\/.*/, '');
    if (agent) keystone[agent] = (keystone[agent] ?? 0) + 1 / hours;
  }
  return { changed: count, waiting: waiting.length, minutes: hours * 60, ways: results, keystone };
}
