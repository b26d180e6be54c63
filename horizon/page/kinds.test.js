import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KINDS, topicOfTable, topicOfType } from './kinds.js';

test('tables and types find their topic, strangers none', () => {
  assert.equal(topicOfTable('instances'), 'instances');
  assert.equal(topicOfTable('volume_snapshots'), 'snapshots');
  assert.equal(topicOfType('OS::Glance::Image'), 'images');
  assert.equal(topicOfTable('audit'), '');
  assert.equal(topicOfType('OS::Nova::Flavor'), '');
});

test('no table and no type is claimed twice', () => {
  for (const member of ['tables', 'angular']) {
    const all = Object.values(KINDS).flatMap((kind) => kind[member] ?? []);
    assert.equal(new Set(all).size, all.length);
  }
});

test('rows are added to lists, not to details', () => {
  assert.match('/project/instances/', KINDS.instances.home);
  assert.match('/horizon/admin/instances/', KINDS.instances.home);
  assert.doesNotMatch('/project/instances/5b1c/', KINDS.instances.home);
});
