// The demo page: two projects' tables, each over its own connection and
// identity, and a strip that shows what is on the wire.

import { call } from './api.js';
import { Panel } from './panel.js';
import { Wire } from './wire.js';

const PROJECTS = ['alpha', 'beta'];
const ANNOUNCE_MS = 800;

const prefix = document.querySelector('meta[name="realtime-prefix"]').content;
const wire = new Wire();

// Sentences for a screen reader, a few at a time.
const sentences = [];
function announce(sentence) {
  sentences.push(sentence);
  if (sentences.length > 1) return;
  setTimeout(() => {
    document.getElementById('announcer').textContent = sentences.splice(0).slice(-4).join(' ');
  }, ANNOUNCE_MS);
}

const life = document.getElementById('life');
life.addEventListener('change', async () => {
  try {
    life.checked = (await call('life', { on: life.checked })).on;
  } catch {
    life.checked = !life.checked;
  }
});

const panels = document.getElementById('panels');
for (const project of PROJECTS) {
  const panel = new Panel(project, {
    prefix,
    announce,
    onMessage: (name, message) => wire.received(name, message),
  });
  panels.append(panel.element);
  panel.start().then((view) => {
    life.checked = view.life;
  });
}
