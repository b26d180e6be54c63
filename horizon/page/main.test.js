import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { settle } from './clock.testing.js';
import { openPage, recorded, TICKET } from './horizon.testing.js';

const folder = path.join(import.meta.dirname, '..');

test('the bundle adds one global, and nothing before Horizon starts', async (t) => {
  execFileSync('npm', ['run', '--silent', 'build:horizon'], { cwd: folder });
  const bundle = fs.readFileSync(path.join(folder, 'horizon_realtime/static/horizon_realtime/dist/realtime.js'), 'utf8');
  const { window, starts, close } = openPage(recorded('instances'));
  t.after(close);
  const asked = [];
  window.fetch = async (url) => {
    asked.push(url);
    return Response.json({ ...TICKET, channels: [] });
  };
  const before = new Set(Object.getOwnPropertyNames(window));
  window.eval(bundle);
  assert.deepEqual(Object.getOwnPropertyNames(window).filter((name) => !before.has(name)), ['realtime']);
  assert.deepEqual(Object.keys(window.realtime).sort(), ['onStatus', 'status', 'subscribe']);
  assert.equal(window.realtime.status(), 'off');
  assert.deepEqual(asked, []);
  for (const start of starts) start();
  await settle();
  assert.deepEqual(asked, ['/api/realtime/ticket/']);
});
