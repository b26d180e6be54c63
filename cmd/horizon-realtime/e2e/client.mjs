// The official Centrifuge client, driven over standard input and output.
//
// node client.mjs URL TOKEN CHANNEL [CHANNEL...]
// It prints one JSON object a line: {"event": "connected" | "subscribed" | "publication" | …, …}, and
// takes one command a line: `drop` closes the socket under the client, which then comes back by itself;
// `away MS` stays away as long; `unsubscribe CHANNEL`; `quit`.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../../horizon/package.json', import.meta.url));
const { Centrifuge } = require('centrifuge');
const WebSocket = require('ws');

const [url, token, ...channels] = process.argv.slice(2);
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

let socket;
let blocked = false;
class TrackedSocket extends WebSocket {
  constructor(...args) {
    super(blocked ? 'ws://127.0.0.1:1/' : args[0], ...args.slice(1));
    socket = this;
  }
}

const client = new Centrifuge(url, {
  token, websocket: TrackedSocket, minReconnectDelay: 50, maxReconnectDelay: 200,
});
client.on('connected', (c) => say('connected', { transport: c.transport, client: c.client }));
client.on('connecting', (c) => say('connecting', { code: c.code }));
client.on('disconnected', (c) => say('disconnected', { code: c.code, reason: c.reason }));
client.on('error', (c) => say('error', { code: c.error.code, message: c.error.message }));

const subscriptions = new Map();
for (const channel of channels) {
  const subscription = client.newSubscription(channel);
  subscriptions.set(channel, subscription);
  subscription.on('subscribed', (c) => say('subscribed', {
    channel, recovered: c.recovered, wasRecovering: c.wasRecovering, positioned: c.positioned,
  }));
  subscription.on('unsubscribed', (c) => say('unsubscribed', { channel, code: c.code, reason: c.reason }));
  subscription.on('error', (c) => say('subscription error', { channel, code: c.error.code, message: c.error.message }));
  subscription.on('publication', (c) => say('publication', { channel, data: c.data, offset: c.offset, tags: c.tags }));
  subscription.subscribe();
}
client.connect();

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, argument] = line.split(' ');
  if (verb === 'drop') socket.terminate();
  if (verb === 'away') {
    blocked = true;
    socket.terminate();
    setTimeout(() => { blocked = false; }, Number(argument));
  }
  if (verb === 'unsubscribe') subscriptions.get(argument).unsubscribe();
  if (verb === 'quit') break;
}
client.disconnect();
process.exit(0);
