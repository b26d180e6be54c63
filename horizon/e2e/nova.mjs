// Changes servers as the command line does, without the time that it takes to start.

import { eventually, openstack } from './lab.mjs';

const API = 'http://127.0.0.1:8774/v2.1';

/** Nova is its API, as the user alpha. */
export class Nova {
  #token;
  #flavor;
  #small;
  #image;
  #network;

  /** open gets a token, and the ids of what servers are made of. */
  static async open() {
    const nova = new Nova();
    const find = (kind, name) => openstack('alpha', kind, 'show', name, '-f', 'value', '-c', 'id');
    nova.#token = await openstack('alpha', 'token', 'issue', '-f', 'value', '-c', 'id');
    nova.#flavor = await find('flavor', 'm1.tiny');
    nova.#small = await find('flavor', 'm1.small');
    nova.#image = await find('image', 'tiny');
    nova.#network = await find('network', 'alpha');
    return nova;
  }

  /** call returns the answer's members, and `at`: when it came. */
  async call(method, path, body) {
    const response = await fetch(API + path, {
      method, body: body && JSON.stringify(body),
      headers: { 'X-Auth-Token': this.#token, 'Content-Type': 'application/json', 'OpenStack-API-Version': 'compute 2.79' },
    });
    const at = Date.now();
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { at, ...(text ? JSON.parse(text) : {}) };
  }

  create(name, count = 1) {
    const server = { name, flavorRef: this.#flavor, imageRef: this.#image, networks: [{ uuid: this.#network }], min_count: count };
    return this.call('POST', '/servers', { server });
  }

  /** act asks for suspend, resume, resize, confirmResize or revertResize. */
  act(id, action) {
    return this.call('POST', `/servers/${id}/action`, { [action]: action === 'resize' ? { flavorRef: this.#small } : null });
  }

  delete(id) {
    return this.call('DELETE', `/servers/${id}`);
  }

  async status(id) {
    return (await this.call('GET', `/servers/${id}`)).server.status;
  }

  /** settled waits until a server has a status and no task. */
  settled(id, status) {
    return eventually(`${status} in nova`, async () => {
      const { server } = await this.call('GET', `/servers/${id}`);
      return server.status === status && !server['OS-EXT-STS:task_state'];
    });
  }

  /** named lists the servers whose names begin so. */
  async named(start) {
    return (await this.call('GET', '/servers/detail?limit=1000')).servers.filter(({ name }) => name.startsWith(start));
  }
}
