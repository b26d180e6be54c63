// Measures, in the lab: `node e2e/measure.mjs [rounds] [minutes] [servers]`.
//
// First how long a change takes to the page: from the notification that tells it, and
// from nova's acceptance of the request, for each of the four actions; and the same
// for a row that Horizon itself polls. Then which calls Horizon makes of the services
// for a page with many servers while a twentieth of them changes each minute. Several
// users look at the same project at the same time, each in another way:
//
//   hint      with the plugin, each row fetched from Horizon
//   payload   with the plugin, cells drawn from the message
//   open      without it: only what is in transition is polled
//   reload    without it: the page is reloaded every 30 s, to be as current as that
//
// `panel up plain` serves the users without the plugin. Results go to stdout.

import fs from 'node:fs';
import os from 'node:os';

import { Browser, eventually, openstack, recordNotifications, sh } from './lab.mjs';

const [rounds = 5, minutes = 4, servers = 50] = process.argv.slice(2).map(Number);
const RELOAD_MS = 30_000;
const USERS = { hint: ['alpha1', 8001], payload: ['alpha2', 8001, { mode: 'payload' }], open: ['alpha3', 8003], reload: ['alpha4', 8003] };
const NOVA = 'http://127.0.0.1:8774/v2.1';
const logs = (await sh('echo $LOG')).trim();

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const token = await openstack('alpha', 'token', 'issue', '-f', 'value', '-c', 'id');
const find = (kind, name) => openstack('alpha', kind, 'show', name, '-f', 'value', '-c', 'id');
const [flavor, small, image, network] = [await find('flavor', 'm1.tiny'), await find('flavor', 'm1.small'), await find('image', 'tiny'), await find('network', 'alpha')];

// nova calls its API as the command line does, and returns the answer and when it came.
async function nova(method, path, body) {
  const response = await fetch(NOVA + path, {
    method, headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json', 'OpenStack-API-Version': 'compute 2.79' }, body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  const at = Date.now();
  return { at, ...(response.headers.get('content-type')?.includes('json') ? await response.json() : {}) };
}
const create = async (name, count = 1) => nova('POST', '/servers', { server: { name, flavorRef: flavor, imageRef: image, networks: [{ uuid: network }], min_count: count } });
const act = (id, action) => nova('POST', `/servers/${id}/action`, { [action]: action === 'resize' ? { flavorRef: small } : null });
const settled = (id, wanted) => eventually(wanted, async () => {
  const { server } = await nova('GET', `/servers/${id}`);
  return server.status === wanted && !server['OS-EXT-STS:task_state'];
});

async function addUsers() {
  for (const [user] of Object.values(USERS)) {
    await openstack('admin', 'user', 'create', '--or-show', '--password', 'lab', '--project', 'alpha', user);
    await openstack('admin', 'role', 'add', '--user', user, '--project', 'alpha', 'member');
  }
}

// watch notes in the page each state that a row is seen in, and when.
const watch = (browser) => browser.page.evaluate(() => {
  window.seen = [];
  const last = new Map();
  const titles = [...document.querySelectorAll('#instances tr.table_column_header th')].map((th) => th.textContent.trim());
  const look = () => {
    const rows = new Map([...document.querySelectorAll('#instances tbody tr[data-object-id]')].map((row) => [row.dataset.objectId,
      row.dataset.realtimeGone ? 'gone' : `${row.cells[titles.indexOf('Status')].textContent.trim()}/${row.cells[titles.indexOf('Task')].textContent.trim()}`]));
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

// What a notification says of a server, in either format.
function told(notification) {
  const p = notification.payload['nova_object.data'] ?? notification.payload;
  return { at: notification.at, event: notification.event_type.replace('compute.instance.', 'instance.'), id: p.uuid ?? p.instance_id, state: p.state, task: p.task_state ?? p.state_description ?? '' };
}

const STEPS = {
  create: { told: (n) => n.state === 'active' && !n.task, shown: 'Active/None' },
  suspend: { told: (n) => n.state === 'suspended' && !n.task, shown: 'Suspended/None' },
  resume: { told: (n) => n.state === 'active' && !n.task, shown: 'Active/None' },
  delete: { told: (n) => n.event === 'instance.delete.end' || n.state === 'deleted', shown: 'gone' },
};

async function latency() {
  const browsers = { hint: await Browser.open(...USERS.hint), payload: await Browser.open(...USERS.payload) };
  for (const browser of Object.values(browsers)) {
    await browser.goto('/project/instances/');
    await watch(browser);
  }
  const stop = await recordNotifications();
  const steps = [];
  for (let round = 0; round < rounds; round++) {
    let id;
    for (const [name, { shown }] of Object.entries(STEPS)) {
      const asked = Date.now();
      const done = name === 'create' ? await create(`m-${round}`) : name === 'delete' ? await nova('DELETE', `/servers/${id}`) : await act(id, name);
      id ??= done.server.id;
      steps.push({ name, id, asked, accepted: done.at });
      for (const browser of Object.values(browsers)) {
        await eventually(`${name} on the page`, async () => (await seen(browser)).some((s) => s.id === id && s.state === shown && s.at >= asked));
      }
      if (name !== 'delete') await settled(id, { create: 'ACTIVE', suspend: 'SUSPENDED', resume: 'ACTIVE' }[name]);
      await pause(1500);
    }
  }
  const notifications = (await stop()).map(told);
  for (const [mode, browser] of Object.entries(browsers)) {
    const states = await seen(browser);
    for (const [name, step] of Object.entries(STEPS)) {
      const times = steps.filter((s) => s.name === name).map(({ id, asked, accepted }) => {
        const shown = states.find((s) => s.id === id && s.state === step.shown && s.at >= asked).at;
        const first = states.find((s) => s.id === id && s.at >= asked).at;
        const notified = notifications.find((n) => n.id === id && n.at >= asked && step.told(n)).at;
        const started = notifications.find((n) => n.id === id && n.at >= asked).at;
        return { shown: shown - notified, accepted: shown - accepted, first: first - started };
      });
      print(`${mode} ${name}`, times);
    }
  }
  await Promise.all(Object.values(browsers).map((b) => b.close()));
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
function print(what, times) {
  const column = (key) => `${String(median(times.map((t) => t[key]))).padStart(6)} (max ${Math.max(...times.map((t) => t[key]))})`;
  console.log(`${what.padEnd(16)} notified→shown ${column('shown')} ms   first notification→first change ${column('first')} ms   accepted→shown ${column('accepted')} ms`);
}

// A row that waits for the user's confirmation is one that Horizon polls.
async function polled() {
  const { server: { id } } = await create('m-polled');
  await settled(id, 'ACTIVE');
  const browsers = { 'with the plugin': await Browser.open(...USERS.hint), 'polled by Horizon': await Browser.open(...USERS.open) };
  const times = Object.fromEntries(Object.keys(browsers).map((name) => [name, []]));
  for (let round = 0; round < Math.min(rounds, 4); round++) {
    await act(id, 'resize');
    await settled(id, 'VERIFY_RESIZE');
    for (const [name, browser] of Object.entries(browsers)) {
      await browser.goto('/project/instances/', name === 'with the plugin' ? 'live' : 'off');
      await watch(browser);
    }
    await pause(15_000 + 5000 * round);
    const stop = await recordNotifications();
    const asked = Date.now();
    await act(id, round % 2 ? 'confirmResize' : 'revertResize');
    await settled(id, 'ACTIVE');
    for (const browser of Object.values(browsers)) await eventually('confirmed', async () => (await seen(browser)).some((s) => s.id === id && s.state === 'Active/None'));
    const notified = (await stop()).map(told).find((n) => n.id === id && n.at >= asked && n.state === 'active' && !n.task).at;
    for (const [name, browser] of Object.entries(browsers)) times[name].push((await seen(browser)).find((s) => s.id === id && s.state === 'Active/None').at - notified);
  }
  await nova('DELETE', `/servers/${id}`);
  for (const [name, all] of Object.entries(times)) console.log(`a resize ends, ${name}: ${median(all)} ms (${all.join(', ')})`);
  await Promise.all(Object.values(browsers).map((b) => b.close()));
}

async function calls() {
  const ids = async () => (await nova('GET', '/servers?limit=1000')).servers.filter((s) => s.name.startsWith('many')).map((s) => s.id);
  const missing = servers - (await ids()).length;
  if (missing > 0) await create('many', missing);
  await eventually('all are active', async () => (await nova('GET', '/servers/detail?limit=1000')).servers.every((s) => s.status === 'ACTIVE' || s.status === 'SUSPENDED'), 900_000);
  const all = await ids();
  const browsers = {};
  for (const [name, [user, port, ticket]] of Object.entries(USERS)) {
    browsers[name] = await Browser.open(user, port, ticket);
    await browsers[name].goto('/project/instances/', port === 8003 ? 'off' : 'live');
  }
  const users = Object.fromEntries(await Promise.all(Object.entries(USERS).map(async ([name, [user]]) => [name, await openstack('admin', 'user', 'show', user, '-f', 'value', '-c', 'id')])));
  await pause(5000);
  const marks = Object.fromEntries(['nova-api', 'neutron', 'glance', 'cinder-api', 'keystone'].map((log) => [log, fs.statSync(`${logs}/${log}.log`).size]));
  const began = Date.now();
  const reloads = setInterval(() => browsers.reload.page.reload().catch(() => {}), RELOAD_MS);
  const apart = 60_000 / (servers / 20);
  const changed = [];
  for (let n = 0; began + n * apart < began + minutes * 60_000; n++) {
    await pause(Math.max(0, began + n * apart - Date.now()));
    const id = all[(n * 7) % all.length];
    const { server } = await nova('GET', `/servers/${id}`);
    const suspend = server.status === 'ACTIVE';
    await act(id, suspend ? 'suspend' : 'resume');
    changed.push([id, suspend ? 'Suspended' : 'Active']);
  }
  await pause(Math.max(0, began + minutes * 60_000 - Date.now()));
  clearInterval(reloads);
  await pause(5000);
  const hours = (Date.now() - began) / 3_600_000;
  const now = new Map(changed);
  console.log(`${servers} servers, ${changed.length} changes in ${((Date.now() - began) / 60_000).toFixed(1)} minutes; calls per user and hour:`);
  for (const [name, browser] of Object.entries(browsers)) {
    const per = Object.fromEntries(['nova-api', 'neutron', 'glance', 'cinder-api'].map((log) => {
      const text = fs.readFileSync(`${logs}/${log}.log`).subarray(marks[log]).toString();
      return [log, text.split('\n').filter((line) => line.includes(users[name]) && /"(GET|POST|PUT|DELETE|HEAD) /.test(line)).length];
    }));
    let stale = 0;
    for (const [id, word] of now) if (!(await browser.row(id))?.includes(word)) stale++;
    const sum = Object.values(per).reduce((a, b) => a + b, 0);
    console.log(`${name.padEnd(8)} ${Math.round(sum / hours).toString().padStart(6)}   (${Object.entries(per).map(([k, v]) => `${k} ${Math.round(v / hours)}`).join(', ')})   rows that are wrong in the end: ${stale}`);
  }
  const keystone = fs.readFileSync(`${logs}/keystone.log`).subarray(marks.keystone).toString().split('\n').filter((line) => line.includes(' /v3') || line.includes('/auth/'));
  const agents = {};
  for (const line of keystone) {
    const agent = line.match(/ms (\S+)/)?.[1] ?? '?';
    agents[agent] = (agents[agent] ?? 0) + 1;
  }
  console.log('keystone, all users together, per hour:', Object.entries(agents).map(([k, v]) => `${k} ${Math.round(v / hours)}`).join(', '));
}

console.log(`load ${os.loadavg().map((l) => l.toFixed(1)).join(' ')} on ${os.cpus().length} cores; medians`);
try {
  await addUsers();
  await latency();
  await polled();
  await calls();
} finally {
  await Browser.closeAll();
}
console.log(`load ${os.loadavg().map((l) => l.toFixed(1)).join(' ')}`);
