// Drives the demo page in a real browser and looks at what it shows.
//
//   node page.mjs <url of the page> [folder for screenshots]
//
// The URL is that of a running `horizon-realtime demo`, for instance
// http://127.0.0.1:8080/project/instances. The browser is $CHROMIUM, by default
// /usr/bin/chromium. Exit status 0 means that everything held.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(new URL('../../../../horizon/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error('usage: node page.mjs <url of the page> [folder for screenshots]');
  process.exit(2);
}

const profile = await mkdtemp(join(tmpdir(), 'horizon-realtime-e2e-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: FLAGS,
  viewport: { width: 1440, height: 1000 },
});
browser.setDefaultTimeout(20_000);
/** open opens the page with the background life off, and fails for anything the
 *  browser complains of. */
async function open({ prepare, expected = /^$/, ...settings } = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => {
    if (['error', 'warning'].includes(line.type()) && !expected.test(line.text())) complaints.push(line.text());
  });
  if (settings.viewport) await page.setViewportSize(settings.viewport);
  if (settings.media) await page.emulateMedia(settings.media);
  await page.request.post(new URL('/demo/api/life', url).href, { data: { on: false } });
  await prepare?.(page);
  await page.goto(url);
  await live(page);
  return {
    page,
    close: async () => {
      assert.deepEqual(complaints, [], 'the browser complained');
      await page.close();
    },
  };
}

async function live(page) {
  for (const project of ['alpha', 'beta']) {
    await page.locator(`#${project} .indicator[data-status=live]`).waitFor();
  }
}

const row = (page, project, name) => page.locator(`#${project} tbody tr`, { has: page.locator('.name', { hasText: new RegExp(`^${name}$`) }) });
const shows = (page, project, name, cell, words) => row(page, project, name).locator(`.${cell}`, { hasText: new RegExp(`^${words}$`) }).waitFor();
const press = (page, project, name, label) => row(page, project, name).getByRole('button', { name: `${label} ${name}`, exact: true }).click();
const gone = (page, project, name) => row(page, project, name).waitFor({ state: 'detached' });

async function launch(page, project, name) {
  await page.locator(`#${project} .launch input`).fill(name);
  await page.locator(`#${project} .launch button`).click();
  await row(page, project, name).waitFor();
}

/** remove deletes a server and waits until its row has gone. */
async function remove(page, project, name) {
  await press(page, project, name, 'Delete');
  await gone(page, project, name);
}

/** tableText is everything a table says, but the ages. */
const tableText = (page, project) => page.locator(`#${project} tbody tr`).evaluateAll((rows) => rows.map((tr) => Array.from(tr.cells)
  .filter((cell) => cell.className !== 'age').map((cell) => cell.textContent).join('|')));

async function shot(page, name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

async function lifeOfAServer() {
  const { page, close } = await open();
  const before = await tableText(page, 'beta');
  assert.ok(before.length > 0, 'beta has servers');
  const name = 'e2e-wörker';
  await launch(page, 'alpha', name);
  await shot(page, '1-building');
  await shows(page, 'alpha', name, 'status', 'Active');
  await shows(page, 'alpha', name, 'power', 'Running');
  await shows(page, 'alpha', name, 'task', 'None');
  await shows(page, 'alpha', name, 'address', '10\\.0\\.0\\.\\d+');
  for (const cell of ['image', 'flavor', 'zone']) {
    assert.match(await row(page, 'alpha', name).locator(`.${cell}`).textContent(), /\w/, `column ${cell}`);
  }
  await press(page, 'alpha', name, 'Suspend');
  await shows(page, 'alpha', name, 'task', 'Suspending');
  await shows(page, 'alpha', name, 'status', 'Suspended');
  await shot(page, '2-suspended');
  await press(page, 'alpha', name, 'Resume');
  await shows(page, 'alpha', name, 'status', 'Active');
  await shows(page, 'alpha', name, 'task', 'None');

  await page.locator('#wire li[data-project=alpha][data-outcome=own]').first().waitFor();
  assert.equal(await page.locator('#wire li[data-outcome=leak]').count(), 0, 'nothing leaks');
  assert.match(await page.locator('#raw').textContent(), /"_context_request_id"/);
  assert.match(await page.locator('#made').textContent(), /"v": 1/);
  await shot(page, '3-wire');

  await press(page, 'alpha', name, 'Delete');
  await shows(page, 'alpha', name, 'task', 'Deleting');
  await gone(page, 'alpha', name);
  assert.deepEqual(await tableText(page, 'beta'), before, 'beta’s table has not changed');
  await close();
}

async function keyboard() {
  const { page, close } = await open();
  const name = 'e2e-keys';
  await page.locator('#beta .launch input').focus();
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await shows(page, 'beta', name, 'status', 'Active');
  await row(page, 'beta', name).locator('button').first().focus();
  await page.keyboard.press('Enter');
  await shows(page, 'beta', name, 'status', 'Suspended');
  const label = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  assert.equal(await label(), `Resume ${name}`, 'the focus stays on the button while the row changes');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await gone(page, 'beta', name);
  assert.notEqual(await label(), null, 'the focus moves on when its row has gone');
  await close();
}

/** overTransport lives through a launch in a browser without some of its means. */
async function overTransport(name, prepare, path) {
  const used = [];
  const { page, close } = await open({
    prepare: async (p) => {
      p.on('request', (request) => used.push(new URL(request.url()).pathname));
      await p.addInitScript(prepare);
    },
  });
  await launch(page, 'alpha', name);
  await shows(page, 'alpha', name, 'status', 'Active');
  assert.ok(used.some((p) => p.endsWith(path)), `${path} among ${used}`);
  await remove(page, 'alpha', name);
  await close();
}

function withoutWebSocket() {
  return overTransport('e2e-stream', () => {
    delete window.WebSocket;
  }, '/connection/http_stream');
}

function onlyEvents() {
  return overTransport('e2e-sse', () => {
    delete window.WebSocket;
    delete window.ReadableStream;
  }, '/connection/sse');
}

/** stuckWebSocket has a proxy accept the websocket and then pass nothing on. */
async function stuckWebSocket() {
  const paths = [];
  const { page, close } = await open({
    prepare: async (p) => {
      p.on('request', (request) => paths.push(new URL(request.url()).pathname));
      await p.routeWebSocket(/connection\/websocket/, () => {});
    },
  });
  assert.ok(paths.some((path) => path.endsWith('/connection/http_stream')), `no stream among ${paths}`);
  await launch(page, 'alpha', 'e2e-stuck');
  await remove(page, 'alpha', 'e2e-stuck');
  await close();
}

/** tooOld has the page come with a position that the router cannot recover
 *  from, and without its first row: it is there once the page was read again. */
async function tooOld() {
  let missing;
  const { page, close } = await open({
    prepare: (p) => p.route(/\/demo\/api\/instances\?project=alpha/, async (route) => {
      const response = await route.fetch();
      const view = await response.json();
      view.position.epoch = 'of-another-router';
      if (!missing) missing = view.instances.shift();
      await route.fulfill({ response, json: view });
    }),
  });
  await row(page, 'alpha', missing.name).waitFor();
  await close();
}

async function refusal() {
  const { page, close } = await open({ expected: /409 \(Conflict\)/ });
  const [first] = await page.locator('#alpha tbody tr .name').allTextContents();
  const id = await row(page, 'alpha', first).getAttribute('data-object-id');
  // Someone else has just taken the server from under the button.
  const answer = await page.request.post(new URL(`/demo/api/instances/${id}/suspend`, url).href, { data: { project: 'alpha' } });
  assert.equal(answer.status(), 202);
  await page.evaluate((tr) => {
    const button = document.querySelector(`[data-object-id="${tr}"] button`);
    button.setAttribute('aria-disabled', 'false');
    button.dataset.action = 'suspend';
    button.click();
  }, id);
  await page.locator('#alpha .problem', { hasText: 'cannot suspend' }).waitFor();
  await shows(page, 'alpha', first, 'status', 'Suspended');
  await press(page, 'alpha', first, 'Resume');
  await shows(page, 'alpha', first, 'task', 'None');
  await close();
}

async function lostConnection() {
  const { page, close } = await open({ expected: /ERR_INTERNET_DISCONNECTED|ERR_FAILED/ });
  await page.context().setOffline(true);
  await page.locator('#alpha .indicator[data-status=reconnecting]').waitFor();
  await shot(page, '4-reconnecting');
  const name = 'e2e-missed';
  const api = new URL('/demo/api/instances', url).href;
  const answer = await page.request.post(api, { data: { project: 'alpha', name } });
  assert.equal(answer.status(), 202);
  const { id } = await answer.json();
  for (;;) { // until it runs, which the page cannot know
    const view = await (await page.request.get(`${api}?project=alpha`)).json();
    if (view.instances.find((i) => i.id === id)?.status === 'ACTIVE') break;
  }
  assert.equal(await row(page, 'alpha', name).count(), 0, 'the page has not heard of it');
  await page.context().setOffline(false);
  await live(page);
  await shows(page, 'alpha', name, 'status', 'Active');
  await remove(page, 'alpha', name);
  await close();
}

async function dark() {
  const { page, close } = await open({ media: { colorScheme: 'dark', reducedMotion: 'reduce' } });
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.ok(ground.match(/\d+/g).every((part) => Number(part) < 64), `the ground is ${ground}`);
  await shot(page, '5-dark');
  await close();
}

async function narrow() {
  const { page, close } = await open({ viewport: { width: 390, height: 844 } });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, 'nothing sticks out to the side');
  await shot(page, '6-narrow');
  await close();
}

try {
  for (const [name, step] of [
    ['a server lives and dies in its own project only', lifeOfAServer],
    ['the keyboard is enough', keyboard],
    ['without websockets the page streams over HTTP', withoutWebSocket],
    ['without websockets and streams the page uses server-sent events', onlyEvents],
    ['a websocket that opens and stays silent is given up', stuckWebSocket],
    ['a position that is too old has the page read again', tooOld],
    ['a refusal is shown', refusal],
    ['a lost connection is shown, and what was missed is caught up with', lostConnection],
    ['it is dark where that is preferred', dark],
    ['a narrow screen shows cards', narrow],
  ]) {
    await step();
    console.log(`ok - ${name}`);
  }
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
