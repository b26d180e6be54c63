// Measures the plugin beside Horizon's own polling, in the lab (`panel up plain`):
//
//   node e2e/measure.mjs [--rounds 5] [--minutes 10] [--servers 50] [--write]
//
// Prints a section for docs/horizon.md, and with --write puts it there, if nothing
// failed. A quarter of an hour; the machine should do nothing else meanwhile.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { calls } from './calls.mjs';
import { Browser, eventually, openstack } from './lab.mjs';
import { Nova } from './nova.mjs';
import { changes, polled } from './times.mjs';

const DOCUMENT = path.join(import.meta.dirname, '..', '..', 'docs', 'horizon.md');
const MARKERS = ['<!-- measured: by horizon/e2e/measure.mjs -->', '<!-- measured: end -->'];

// How the page is kept current. Users of one project, each looking in another way.
const WAYS = {
  payload: { user: 'alpha2', port: 8001, live: true, ticket: { mode: 'payload' } },
  hint: { user: 'alpha1', port: 8001, live: true, ticket: { mode: 'hint' } },
  'Horizon, left open': { user: 'alpha3', port: 8003 },
  'Horizon, reloaded every 30 s': { user: 'alpha4', port: 8003, reload: 30_000 },
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
const tell = (what) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);

// "median (worst)", where it was seen at all.
function ms(times) {
  const numbers = times.filter((t) => t !== undefined).sort((a, b) => a - b);
  return numbers.length === 0 ? 'never' : `${Math.round(numbers[Math.floor((numbers.length - 1) / 2)])} (${Math.round(numbers.at(-1))})`;
}

function table(head, rows) {
  return [head, head.map((_, n) => (n === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

async function timesSection() {
  const { rounds, results } = await changes(nova, pick('payload', 'hint', 'Horizon, left open'), Number(values.rounds), tell);
  const rows = results.map(({ way, step, times }) => [step, way, ...['accepted', 'notified', 'whole'].map((key) => (step === 'delete' && key === 'whole' ? '' : ms(times.map((t) => t?.[key]))))]);
  return [
    `How long a change takes to the open page, in ms, median (worst) of ${rounds} rounds: from nova's acceptance of the request to the page's showing what has come of it, from the`
      + ' notification to the same, and from the notification to the whole row with its actions.',
    table(['change', 'the page', 'accepted → shown', 'notified → shown', 'notified → whole row'], rows),
  ];
}

async function polledSection() {
  // Most of a round is waiting, so there are fewer.
  const results = await polled(nova, pick('payload', 'hint', 'Horizon, left open'), Math.min(Number(values.rounds), 3), tell);
  return [
    'A row that Horizon polls by itself, one that waits for a resize to be confirmed, when that ends, in ms:',
    table(['the page', 'notified → shown', 'rounds'], results.map(({ way, times }) => [way, ms(times), times.length])),
  ];
}

async function callsSection() {
  const counted = await calls(nova, WAYS, Number(values.minutes), Number(values.servers), tell);
  const all = ({ services, router }) => sum(Object.values(services)) + router;
  const open = all(counted.ways.find(({ way }) => way === 'Horizon, left open'));
  const fewer = (result) => (all(result) === 0 ? 'none at all' : `${(open / all(result)).toFixed(1)} ×`);
  const services = Object.keys(counted.ways[0].services);
  const { row, page } = counted.costs;
  return [
    `Calls to the services for one user in an hour, from the services' own logs: ${values.servers} servers, ${counted.waiting} of them waiting for a resize to be confirmed, and`
      + ` ${counted.changed} suspended or resumed in ${counted.minutes.toFixed(1)} minutes, one run. *Horizon, left open* is what a page without the plugin makes by its own polling, which follows the`
      + ' waiting rows and no other; what pages ask for when they are opened is not counted. *keystone* is what the router asks for the page.',
    table(['the page', ...services, 'keystone', 'all', 'fewer than left open', 'wrong rows at the end'],
      counted.ways.map((result) => [result.way, ...Object.values(result.services), result.router, all(result), fewer(result), result.wrong])),
    `One row fetched is ${row.services} calls of Horizon's to these services and ${row.keystone} to keystone by all of them, a page of ${values.servers} servers ${page.services} and ${page.keystone}.`,
  ];
}

let nova;

// clear deletes the servers that this makes.
async function clear() {
  const mine = async () => [...await nova.named('many'), ...await nova.named('m-')];
  for (const { id } of await mine()) await nova.delete(id).catch((error) => tell(error.message));
  await eventually('they are gone', async () => (await mine()).length === 0, 300_000);
}

// Each part by itself: one that fails does not lose the others.
async function measure() {
  const before = load();
  const began = Date.now();
  const sections = [];
  let failed = 0;
  await addUsers();
  nova = await Nova.open();
  await clear(); // what a run that was ended has left
  for (const part of [timesSection, polledSection, callsSection]) {
    tell(part.name);
    try {
      sections.push(...await part());
    } catch (error) {
      failed += 1;
      tell(`${part.name} failed: ${error.stack}`);
      sections.push(`${part.name}: not measured, ${error.message.split('\n')[0]}`);
    }
  }
  await clear().catch((error) => tell(error.message));
  await Browser.closeAll();
  const minutes = ((Date.now() - began) / 60_000).toFixed(0);
  return { failed, section: [`${os.cpus().length} cores for the whole cloud and the browsers, load ${before} before and ${load()} after; ${minutes} minutes in all.`, ...sections].join('\n\n') };
}

function write(section) {
  const text = fs.readFileSync(DOCUMENT, 'utf8');
  const [from, to] = MARKERS.map((marker) => text.indexOf(marker));
  if (from < 0 || to < from) throw new Error(`${DOCUMENT}: the lines ${MARKERS.join(' and ')} are not there, in this order`);
  fs.writeFileSync(DOCUMENT, `${text.slice(0, from + MARKERS[0].length)}\n\n${section}\n\n${text.slice(to)}`);
}

const { failed, section } = await measure();
console.log(section);
if (failed > 0) process.exitCode = 1;
else if (values.write) write(section);
