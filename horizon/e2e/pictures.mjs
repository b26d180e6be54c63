// Takes the screenshots of docs/horizon.md, in the lab: `node e2e/pictures.mjs`.

import fs from 'node:fs';
import path from 'node:path';

import { Browser, eventually, lab, openstack } from './lab.mjs';

const out = path.join(import.meta.dirname, '..', '..', 'docs', 'images');
const clip = { x: 0, y: 0, width: 1400, height: 540 };
const create = (name) => openstack('alpha', 'server', 'create', '--flavor', 'm1.tiny', '--image', 'tiny', '--network', 'alpha', name, '-f', 'value', '-c', 'id');

fs.mkdirSync(out, { recursive: true });
const ids = [];
for (const name of ['db-1', 'web-1', 'web-2']) ids.push(await create(name));
const browser = await Browser.open('alpha', 8001);
const shows = (id, ...words) => eventually(words.join(), async () => {
  const cells = await browser.row(id);
  return words.every((word) => cells?.includes(word));
});
try {
  for (const id of ids) await eventually('active', async () => (await openstack('alpha', 'server', 'show', id, '-f', 'value', '-c', 'status')) === 'ACTIVE');
  await openstack('alpha', 'server', 'suspend', ids[0]);
  await browser.goto('/project/instances/');
  await shows(ids[0], 'Suspended', 'None');
  await browser.page.waitForSelector('.realtime-changed', { state: 'detached' });
  ids.push(await create('web-3'));
  await shows(ids.at(-1), 'Active', 'None');
  await browser.page.screenshot({ path: path.join(out, 'horizon-live.png'), clip });
  await openstack('alpha', 'server', 'resize', '--flavor', 'm1.small', ids[1]);
  await browser.page.waitForSelector(`#instances__row__${ids[1]}.warning:has-text("Confirm or Revert")`);
  await lab('router', 'down');
  await browser.page.waitForSelector('.realtime-state[data-status="reconnecting"]');
  await browser.page.screenshot({ path: path.join(out, 'horizon-reconnecting.png'), clip });
  await lab('router', 'up');
} finally {
  for (const id of ids) await openstack('alpha', 'server', 'delete', id);
  await Browser.closeAll();
}
