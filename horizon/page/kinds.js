// Which of Horizon's tables show what.
//
// A topic is the last segment of a channel, as the plugins name it; a table is
// the id of Horizon's <table>, or the type of an Angular panel.

/**
 * KINDS lists, for each topic,
 *
 * - tables: ids of Django tables whose rows are about it
 * - home: the page (its path's end) that lists all of a project's; only there are
 *   rows added
 * - angular: resource types of Angular tables
 * - scopes: where its messages go, if not to the project
 * - single: Horizon can draw one row (row_update); otherwise the page is read
 * - drawn: a message is enough to draw its row
 * - addressed: its rows show addresses, so messages about floating IPs concern them
 * - waiting: a selector that matches in rows that wait for their user to act
 * - drifts: the service also changes rows silently, so the page is
 *   read again now and then
 * - unsure: an operator must enable its notifications, so Horizon keeps polling
 */
export const KINDS = {
  instances: { tables: ['instances'], home: /\/instances\/$/, angular: ['OS::Nova::Server'], single: true, drawn: true, addressed: true, waiting: '[id$="__action_confirm"]' },
  servergroups: { tables: ['server_groups'], home: /\/server_groups\/$/, angular: ['OS::Nova::ServerGroup'] },
  keypairs: { tables: ['keypairs'], home: /\/key_pairs\/$/, angular: ['OS::Nova::Keypair'], scopes: ['user'] },
  volumes: { tables: ['volumes'], home: /\/volumes\/$/, angular: ['OS::Cinder::Volume'], single: true },
  snapshots: { tables: ['volume_snapshots'], home: /\/snapshots\/$/, angular: ['OS::Cinder::Snapshot'], single: true },
  backups: { tables: ['volume_backups'], home: /\/backups\/$/, single: true },
  images: { tables: ['images'], home: /\/images\/$/, angular: ['OS::Glance::Image'], scopes: ['project', 'public'], single: true },
  networks: { tables: ['networks'], home: /\/networks\/$/, angular: ['OS::Neutron::Net'], drifts: true },
  subnets: { tables: ['subnets'], home: null },
  ports: { tables: ['ports'], home: null, drifts: true },
  routers: { tables: ['routers'], home: /\/routers\/$/, single: true, drifts: true },
  floating_ips: { tables: ['floating_ips'], home: /\/floating_ips\/$/, drifts: true },
  security_groups: { tables: ['security_groups'], home: /\/security_groups\/$/ },
  stacks: { tables: ['stacks'], home: /\/stacks\/$/, single: true, unsure: true },
  loadbalancers: { tables: [], home: null, angular: ['OS::Octavia::LoadBalancer'], drifts: true, unsure: true },
  clusters: { tables: [], home: null, angular: ['OS::Magnum::Cluster'], unsure: true },
  zones: { tables: [], home: null, angular: ['OS::Designate::Zone'] },
  // For admins only.
  aggregates: { tables: ['host_aggregates'], home: /\/aggregates\/$/ },
  projects: { tables: ['tenants'], home: /\/identity\/$/, scopes: ['admin'], single: true },
  users: { tables: ['users'], home: /\/users\/$/, angular: ['OS::Keystone::User'], scopes: ['admin'], single: true },
  groups: { tables: ['groups'], home: /\/groups\/$/, angular: ['OS::Keystone::Group'], scopes: ['admin'] },
  roles: { tables: ['roles'], home: /\/roles\/$/, angular: ['OS::Keystone::Role'], scopes: ['admin'] },
  domains: { tables: ['domains'], home: /\/domains\/$/, angular: ['OS::Keystone::Domain'], scopes: ['admin'] },
};

/** topicOfTable finds the topic of a Django table's id; '' if there is none. */
export function topicOfTable(id) {
  return topicWhere((kind) => kind.tables.includes(id));
}

/** topicOfType finds the topic of an Angular resource type; '' if there is none. */
export function topicOfType(type) {
  return topicWhere((kind) => kind.angular?.includes(type));
}

function topicWhere(fits) {
  return Object.keys(KINDS).find((topic) => fits(KINDS[topic])) ?? '';
}
