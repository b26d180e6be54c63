// Measures the plugin beside Horizon's own polling, in the lab (`panel up plain`):
//
//   node e2e/measure.mjs [--rounds 5] [--minutes 10] [--servers 50] [--write]
//
// Prints a section for docs/horizon.md, and with --write puts it there. The machine
// should do nothing else meanwhile.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { calls } from './calls.mjs';
import { Browser, openstack } from './lab.mjs';
import { Nova } from './nova.mjs';
import { changes, polled } from './times.mjs';

const DOCUMENT = path.join(import.meta.dirname, '..', '..', 'docs', 'horizon.md');
const MARKERS = ['<!-- measured: by horizon/e2e/measure.mjs -->', '<!-- measured: end -->'];

// How the page is kept current. Users of one project, each looking in another way.
const WAYS = {
  hint: { user: 'alpha1', port: 8001, live: true },
  payload: { user: 'alpha2', port: 8001, live: true, ticket: { mode: 'payload' } },
  'Horizon alone': { user: 'alpha3', port: 8003 },
  'Horizon alone, reloaded every 30 s': { user: 'alpha4', port: 8003, reload: 30_000 },
};
const pick = (...names) => Object.fromEntries(names.map((name) => [name, WAYS[name]]));

const number = (text) => ({ type: 'string', default: text });
const { values } = parseArgs({ options: {
  rounds: number('5'), minutes: number('10'), servers: number('50'), write: { type: 'boolean', default: false },
} });

async function addUsers() {
  for (const { user } of Object.values(WAYS)) {
    await openstack('admin', 'user', 'create', '--or-show', '--password', 'lab', '--project', 'alpha', user);
    await openstack('admin', 'role', 'add', '--user', user, '--project', 'alpha', 'member');
  }
}

const load = () => os.loadavg()[0].toFixed(1);
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// "median (most)", where it was seen at all.
function ms(times) {
  const numbers = times.filter((t) => t !== undefined).sort((a, b) => a - b);
  return numbers.length === 0 ? 'never' : `${Math.round(numbers[Math.floor((numbers.length - 1) / 2)])} (${Math.round(numbers.at(-1))})`;
}

function table(head, rows) {
  return [head, head.map((_, n) => (n === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function timesTable(results) {
  return table(['change', 'the page', 'accepted → begun', 'accepted → done', 'notified → done'], results.map(({ way, step, times }) => [
    step, way, ...['first', 'accepted', 'notified'].map((key) => ms(times.map((t) => t?.[key]))),
  ]));
}

function callsTable({ ways }) {
  const services = Object.keys(ways[0].calls);
  const total = (result) => sum(Object.values(result.calls));
  const hint = total(ways[0]);
  return table(['the page', ...services, 'all', 'hint = 1', 'wrong rows at the end'], ways.map((result) => [
    result.way, ...Object.values(result.calls), total(result), (total(result) / hint).toFixed(1), result.wrong,
  ]));
}

async function measure() {
  const before = load();
  const step = (what) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
  await addUsers();
  const nova = await Nova.open();
  try {
    step('changes');
    const changed = await changes(nova, pick('hint', 'payload', 'Horizon alone'), Number(values.rounds));
    step('a row that Horizon polls');
    const waited = await polled(nova, pick('hint', 'Horizon alone'), Number(values.rounds));
    step('calls');
    const counted = await calls(nova, WAYS, Number(values.minutes), Number(values.servers));
    const keystone = Object.entries(counted.keystone).map(([who, n]) => `${who} ${Math.round(n)}`).join(', ');
    return [
      `${os.cpus().length} cores for the whole cloud and the browsers, load ${before} before and ${load()} after; ${values.rounds} rounds.`
        + ' Median (most), in ms, from nova\'s acceptance of the request or its notification to what the page shows:',
      timesTable(changed),
      'A row that Horizon polls by itself, one that waits for a resize to be confirmed, when that ends:',
      table(['the page', 'notified → done'], waited.map(({ way, times }) => [way, ms(times)])),
      `${values.servers} servers, ${counted.waiting} of them waiting for a resize to be confirmed, and ${counted.changed} suspended or resumed in`
        + ` ${counted.minutes.toFixed(1)} minutes by the command line; calls for one user and hour, from the services' logs:`,
      callsTable(counted),
      `Keystone, for all of them and the services together, calls an hour by who asks: ${keystone}.`,
    ].join('\n\n');
  } finally {
    for (const { id } of [...await nova.named('many'), ...await nova.named('m-')]) await nova.delete(id);
    await Browser.closeAll();
  }
}

function write(section) {
  const text = fs.readFileSync(DOCUMENT, 'utf8');
  const [from, to] = MARKERS.map((marker) => text.indexOf(marker));
  if (from < 0 || to < from) throw new Error(`${DOCUMENT}: the lines ${MARKERS.join(' and ')} are not there, in this order`);
  fs.writeFileSync(DOCUMENT, `${text.slice(0, from + MARKERS[0].length)}\n\n${section}\n\n${text.slice(to)}`);
}

const section = await measure();
console.log(section);
if (values.write) write(section);
