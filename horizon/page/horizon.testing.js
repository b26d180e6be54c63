// A page of Horizon in jsdom, for tests: recorded HTML, Horizon's own
// horizon.tables.js (fetch-horizon gets it, and Angular), the real jQuery and tablesorter.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { JSDOM } from 'jsdom';

const require = createRequire(import.meta.url);
const read = (name) => fs.readFileSync(path.join(import.meta.dirname, 'testdata', name), 'utf8');
const fetched = (name) => {
  const file = path.join(import.meta.dirname, '..', '..', '.cache', 'horizon', name);
  if (!fs.existsSync(file)) throw new Error(`no ${file}: run horizon/fetch-horizon, as npm test does`);
  return fs.readFileSync(file, 'utf8');
};
const libraries = ['jquery/dist/jquery.js', 'tablesorter/dist/js/jquery.tablesorter.js'].map((name) => fs.readFileSync(require.resolve(name), 'utf8'));

/** recorded reads one of testdata's pages. */
export const recorded = (name) => read(`${name}.html`);

/** TICKET is what Horizon's backend answers. */
export const TICKET = {
  ticket: 't1', expires_in: 30, channels: ['project/p/*', 'user/u/*', 'public/*'], position: { epoch: 'e', offset: 40 },
  project: 'p', user: 'u', url: '/realtime', mode: 'hint', toasts: false, language: 'en',
};

/** ids maps the servers' names to ids. */
export function ids(html) {
  return Object.fromEntries([...html.matchAll(/data-display="([^"]*)"[^>]* data-object-id="([^"]*)"/g)].map(([, name, id]) => [name, id]));
}

/**
 * openPage makes a page of recorded HTML.
 *
 * @returns {{window: Window, polled: string[], close: () => void}} polled lists
 *   what Horizon's own scripts have asked for
 */
export function openPage(html, where = '/project/instances/') {
  const { window } = new JSDOM(`<!DOCTYPE html><body><nav class="navbar"><ul class="navbar-right"></ul></nav>${html}</body>`, {
    url: `http://horizon.example${where}`, runScripts: 'outside-only', pretendToBeVisual: true,
  });
  for (const text of libraries) window.eval(text);
  const polled = [];
  const starts = [];
  const none = { addModalInitFunction() {}, addTabLoadFunction() {} };
  Object.assign(window, {
    gettext: (text) => text,
    ngettext: (one, many, n) => (n === 1 ? one : many),
    interpolate: (text, values) => values.reduce((t, v) => t.replace('%s', v), text),
    recompileAngularContent() {},
    WEBROOT: '/',
    horizon: {
      addInitFunction: (fn) => starts.push(fn),
      modals: none,
      tabs: none,
      templates: { compiled_templates: { '#empty_row_template': { render: ({ colspan, no_items_label: label }) => `<tr class="odd empty"><td colspan="${colspan}">${label}</td></tr>` } } },
      ajax: {
        queue({ url }) {
          polled.push(url);
          return window.$.Deferred().promise();
        },
      },
    },
  });
  window.$.fn.tooltip = () => window.$();
  window.$.fn.uniqueId = function uniqueId() { return this; };
  // jQuery takes an element without layout for hidden.
  window.$.expr.pseudos.visible = (element) => element.style.display !== 'none';
  window.eval(fetched('horizon.tables.js'));
  window.horizon.datatables.init();
  return { window, polled, starts, close: () => window.close() };
}

/** loadAngular gives a page the real Angular, without Horizon's modules. */
export const loadAngular = (window) => window.eval(fetched('angular.js'));

/** until waits for a condition, at most 5 s. */
export async function until(holds) {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within 5 s: ${holds}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}
