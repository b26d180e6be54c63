// Records what Horizon renders, for the unit tests of page/: run it in the lab, as
// `node e2e/record-pages.mjs`. It leaves a page each in page/testdata/.

import fs from 'node:fs';
import path from 'node:path';

import { Browser, eventually, openstack } from './lab.mjs';

const out = path.join(import.meta.dirname, '..', 'page', 'testdata');
const server = (name) => openstack('alpha', 'server', 'create', '--wait', '--flavor', 'm1.tiny', '--image', 'tiny', '--network', 'alpha', name, '-f', 'value', '-c', 'id');
const status = (id, wanted) => eventually(wanted, async () => (await openstack('alpha', 'server', 'show', id, '-f', 'value', '-c', 'status')) === wanted);

fs.mkdirSync(out, { recursive: true });
const ids = [await server('one'), await server('two')];
const browser = await Browser.open('alpha', 8000);
const headers = { 'X-Requested-With': 'XMLHttpRequest' };
const get = async (where, options) => (await browser.context.request.get(browser.origin + where, { timeout: 120_000, ...options })).text();
// Tokens of forms are nobody's business, and blank lines nobody's need.
const save = (name, html) => fs.writeFileSync(path.join(out, `${name}.html`), html
  .replace(/(csrfmiddlewaretoken" value=")[^"]*/g, '$1token').replace(/<!-- .* -->/g, '').replace(/\n\s*\n+/g, '\n'));
const table = (html) => html.match(/<div class="table_wrapper">.*?<\/form>\s*<\/div>/s)[0];
try {
  const row = (id) => get(`/project/instances/?action=row_update&table=instances&obj_id=${id}`, { headers });
  save('instances', table(await get('/project/instances/')));
  await openstack('alpha', 'server', 'suspend', ids[0]);
  await status(ids[0], 'SUSPENDED');
  save('row-suspended', await row(ids[0]));
  // The same row drawn from what nova's two formats of a notification tell.
  await browser.page.goto(`${browser.origin}/project/instances/`);
  const drawn = (data) => browser.page.evaluate(async ([id, told]) => {
    const headers = { 'X-Requested-With': 'XMLHttpRequest', 'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]').value };
    const shown = document.querySelector(`#instances__row__${id} ul.list-unstyled`).textContent.trim();
    const { project, user } = await (await fetch('/api/realtime/ticket/', { method: 'POST', headers, body: '{}' })).json();
    const row = { id, name: 'one', status: 'SUSPENDED', task: null, project_id: project, user_id: user, shown: [shown], data: { availability_zone: 'nova', addresses: [{ address: shown, network: 'alpha' }], ...told } };
    const response = await fetch('/api/realtime/rows/', { method: 'POST', headers, body: JSON.stringify({ dashboard: 'project', rows: [row] }) });
    return (await response.json()).rows[id];
  }, [ids[0], data]);
  save('row-drawn', await drawn({ power_state: 'suspended', key_name: null, locked: false }));
  save('row-drawn-in-part', await drawn({}));
  await openstack('alpha', 'server', 'resize', '--flavor', 'm1.small', ids[1]);
  await status(ids[1], 'VERIFY_RESIZE');
  save('row-in-transition', await row(ids[1]));
  const third = await server('three');
  save('row-new', await row(third));
  save('instances-later', table(await get('/project/instances/')));
  save('networks', table(await get('/project/networks/')));
  for (const id of [...ids, third]) await openstack('alpha', 'server', 'delete', '--wait', id);
  save('instances-empty', table(await get('/project/instances/')));
} finally {
  await Browser.closeAll();
}
