import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JSDOM } from 'jsdom';

import { UnauthorizedError } from '../js/realtime.js';
import { TICKET } from './horizon.testing.js';
import { fetchTicket } from './ticket.js';

function open(t, { html = '', status = 200, webroot } = {}) {
  const { window } = new JSDOM(html, { url: 'http://horizon.example/project/instances/' });
  t.after(() => window.close());
  if (webroot) window.WEBROOT = webroot;
  const asked = [];
  window.fetch = async (url, options) => {
    asked.push({ url, ...options });
    return Response.json(TICKET, { status });
  };
  return { window, asked };
}

test("the page's own session asks, with Django's token", async (t) => {
  const { window, asked } = open(t, { html: '<input name="csrfmiddlewaretoken" value="abc">', webroot: '/horizon/' });
  assert.deepEqual(await fetchTicket(window), TICKET);
  const [{ url, method, headers, credentials }] = asked;
  assert.deepEqual([url, method, credentials], ['/horizon/api/realtime/ticket/', 'POST', 'same-origin']);
  assert.deepEqual([headers['X-CSRFToken'], headers['X-Requested-With']], ['abc', 'XMLHttpRequest']);
});

test('without a form the cookie has the token', async (t) => {
  const { window, asked } = open(t);
  window.document.cookie = 'csrftoken=def';
  await fetchTicket(window);
  assert.equal(asked[0].headers['X-CSRFToken'], 'def');
});

test('refusals are final, failures are not', async (t) => {
  for (const status of [401, 403, 404]) await assert.rejects(fetchTicket(open(t, { status }).window), UnauthorizedError);
  for (const status of [500, 503]) {
    await assert.rejects(fetchTicket(open(t, { status }).window), (error) => !(error instanceof UnauthorizedError) && error.message === `no ticket: ${status}`);
  }
});
