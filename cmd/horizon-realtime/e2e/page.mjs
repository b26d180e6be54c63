// Watches the demo's page in a real Chromium, driven over standard input and output.
//
// node page.mjs URL [FOLDER FOR SCREENSHOTS]
// It prints `live` once both tables are, then answers each command with `ok` or what is wrong:
//   expect NAME STATUS   alpha's table shows the server in that status, or does not show it (STATUS gone)
//   untouched            beta's table is as it was at the start, and nothing of alpha's reached its connection
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../../horizon/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const [url, shots] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), 'horizon-realtime-page-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  viewport: { width: 1440, height: 1000 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
browser.setDefaultTimeout(30_000);
const page = await browser.newPage();
const frames = [];
page.on('websocket', (socket) => {
  const connection = { project: '', received: '' };
  frames.push(connection);
  socket.on('framesent', ({ payload }) => {
    const channel = /"project\/([0-9a-f]+)\//.exec(String(payload));
    if (channel) connection.project = channel[1];
  });
  socket.on('framereceived', ({ payload }) => { connection.received += String(payload); });
});
await page.goto(url);
for (const project of ['alpha', 'beta']) {
  await page.locator(`#${project} .indicator[data-status=live]`).waitFor();
}

const rows = (project) => page.locator(`#${project} tbody tr`);
const row = (name) => rows('alpha').filter({ has: page.locator('.name', { hasText: new RegExp(`^${name}$`) }) });
const table = () => rows('beta').evaluateAll((list) => list.map((tr) => Array.from(tr.cells)
  .filter((cell) => cell.className !== 'age').map((cell) => cell.textContent).join('|')).join('\n'));
const before = await table();
console.log('live');

const commands = {
  async expect(name, status) {
    if (status === 'gone') await row(name).waitFor({ state: 'detached' });
    else await row(name).locator('.status', { hasText: new RegExp(`^${status}$`) }).waitFor();
    if (shots) await page.screenshot({ path: join(shots, `${name}-${status}.png`), fullPage: true });
  },
  async untouched() {
    if (!before || await table() !== before) throw new Error(`beta's table was\n${before}\nand is\n${await table()}`);
    const projects = new Set(frames.map((connection) => connection.project));
    if (projects.size !== 2 || projects.has('')) throw new Error(`saw connections of ${[...projects].join(', ')}`);
    for (const { project, received } of frames) {
      for (const other of projects) {
        if (other !== project && received.includes(other)) throw new Error(`${project} received ${received}`);
      }
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(' ');
  try {
    await commands[command](...words);
    console.log('ok');
  } catch (error) {
    console.log(error.message.replaceAll('\n', ' ⏎ '));
  }
}
await browser.close();
await rm(profile, { recursive: true, force: true });
