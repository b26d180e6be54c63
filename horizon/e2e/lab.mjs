// What the end-to-end tests drive: the lab's cloud by its command line, and Horizon
// in a real Chromium.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));

/** PATIENCE bounds every wait, in ms: far more than anything here takes. */
export const PATIENCE = Number(process.env.PATIENCE ?? 120_000);
export const CLOUD = path.join(here, '..', 'cloud');
/** PICTURES is where screenshots go. */
export const PICTURES = process.env.PICTURES ?? path.join(os.tmpdir(), 'horizon-realtime-pictures');

/** lab runs one of cloud's scripts. */
export async function lab(script, ...args) {
  const { stdout } = await run(path.join(CLOUD, script), args, { timeout: 600_000, maxBuffer: 1 << 24 });
  return stdout;
}

/** sh runs a line of bash with cloud's environment. */
export async function sh(line) {
  const { stdout } = await run('bash', ['-c', `. ${CLOUD}/env.sh; ${line}`], { timeout: 600_000, maxBuffer: 1 << 24 });
  return stdout;
}

/** openstack runs the command line client as a user of the project of the same name. */
export async function openstack(user, ...args) {
  const line = `. ${CLOUD}/env.sh; as ${user} ${user}; exec openstack "$@"`;
  const { stdout } = await run('bash', ['-c', line, 'openstack', ...args], { timeout: 300_000 });
  return stdout.trim();
}

/** eventually waits until look returns something true, and returns that. */
export async function eventually(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patience / 1000} s; last: ${last?.message ?? JSON.stringify(last)}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

let chrome = null;

/** Browser is one user's session: cookies and storage of its own, in one Chromium. */
export class Browser {
  /**
   * open logs a user in at a port of the lab.
   *
   * @param {string} user
   * @param {number} port
   * @param {object} [ticket] members to change in the tickets that the page gets
   */
  static async open(user, port, ticket = null) {
    chrome ??= chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
    });
    const browser = new Browser();
    browser.origin = `http://127.0.0.1:${port}`;
    browser.context = await (await chrome).newContext({ viewport: { width: 1400, height: 800 } });
    if (ticket) {
      await browser.context.route('**/api/realtime/ticket/', async (route) => {
        const response = await route.fetch({ timeout: PATIENCE });
        await route.fulfill({ response, json: { ...await response.json(), ...ticket } });
      });
    }
    browser.context.setDefaultTimeout(PATIENCE);
    browser.page = await browser.context.newPage();
    browser.errors = [];
    browser.page.on('pageerror', (error) => browser.errors.push(error.message));
    await browser.#record();
    await browser.page.goto(`${browser.origin}/auth/login/`);
    await browser.page.fill('#id_username', user);
    await browser.page.fill('#id_password', process.env.PASS ?? 'lab');
    await browser.page.click('#loginBtn', { noWaitAfter: true });
    await browser.page.waitForURL((url) => !url.pathname.includes('/login'), { waitUntil: 'load' });
    return browser;
  }

  // What goes over the wire, as Chromium's own network layer sees it.
  async #record() {
    this.frames = []; // websocket frames received
    this.requests = []; // {url, method, at}
    const cdp = await this.context.newCDPSession(this.page);
    await cdp.send('Network.enable');
    cdp.on('Network.webSocketFrameReceived', ({ response }) => this.frames.push(response.payloadData));
    cdp.on('Network.requestWillBeSent', ({ request }) => this.requests.push({ url: request.url, method: request.method, at: Date.now() }));
  }

  /** goto opens a page and waits until it says what it is. */
  async goto(where, status = 'live') {
    await this.page.goto(this.origin + where);
    await this.page.waitForSelector(`.realtime-state[data-status="${status}"]`);
  }

  /** row reads a server's row as a person would: its cells' texts; null without one. */
  row(id) {
    return this.page.evaluate((rowId) => {
      const row = document.getElementById(`instances__row__${rowId}`);
      return row && !row.dataset.realtimeGone ? [...row.cells].map((cell) => cell.innerText.trim()) : null;
    }, id);
  }

  async picture(name) {
    fs.mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  async close() {
    await this.context.close();
  }

  /** closeAll ends Chromium. */
  static async closeAll() {
    const ending = chrome;
    chrome = null;
    await (await ending)?.close();
  }
}

/** recordNotifications records the bus until stop is called, which returns them. */
export async function recordNotifications() {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'horizon-e2e-')), 'notifications.jsonl');
  const child = spawn('bash', ['-c', `. ${CLOUD}/env.sh; exec ${CLOUD}/record ${file} nova`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`record ended with ${code}`)));
  });
  return async function stop() {
    const ended = new Promise((resolve) => { child.once('exit', resolve); });
    child.kill('SIGTERM');
    await ended;
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n').filter(Boolean);
    fs.rmSync(path.dirname(file), { recursive: true, force: true });
    return lines.map((line) => {
      const { received, body } = JSON.parse(line);
      const outer = JSON.parse(body);
      return { at: received * 1000, ...JSON.parse(outer['oslo.message']) };
    });
  };
}
