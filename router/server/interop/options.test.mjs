// Run by TestOfficialJavaScriptClientOnOptions, which starts the server at
// $SERVER and something to control it with at $CONTROL.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Centrifuge } from 'centrifuge'
import ws from 'ws'

const { SERVER, CONTROL } = process.env
const endpoint = `ws://${SERVER}/realtime/connection/websocket`

const control = async (method, path, query = {}, body) => {
  const answer = await fetch(`${CONTROL}${path}?${new URLSearchParams(query)}`, { method, body })
  assert.equal(answer.status, 200)
  return answer.text()
}
const publish = (channel, data) => control('POST', '/publish', { channel }, JSON.stringify(data))
const token = user => control('GET', '/token', { user, life: '1h' })

const clients = []
after(() => clients.forEach(c => c.disconnect()))

const open = async (user, websocket) => {
  const client = new Centrifuge(endpoint, { websocket, token: await token(user), minReconnectDelay: 20, maxReconnectDelay: 500 })
  clients.push(client)
  return client
}

const until = async (condition) => {
  for (const end = Date.now() + 20_000; !condition();) {
    if (Date.now() > end) throw new Error(`not in time: ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

test('compressed both ways', async () => {
  const sockets = []
  const client = await open('compressed', class extends ws {
    constructor (...args) {
      super(...args)
      sockets.push(this)
    }
  })
  // Longer than what ws sends uncompressed.
  const sub = client.newSubscription('project/p1/compressed', { data: { long: 'a long command '.repeat(500) } })
  const heard = []
  sub.on('publication', ctx => heard.push(ctx.data))
  sub.subscribe()
  client.connect()
  await sub.ready()
  assert.equal(sockets[0].extensions, 'permessage-deflate')
  const said = []
  for (let i = 0; i < 50; i++) {
    said.push({ i, text: `row ${i} `.repeat(i * 40), snow: '☃' })
    await publish('project/p1/compressed', said.at(-1))
  }
  await until(() => heard.length === said.length)
  assert.deepEqual(heard, said)
})

test('history and presence', async () => {
  const ann = await open('ann', ws)
  const bob = await open('bob', ws)
  const subs = []
  for (const client of [ann, bob]) {
    const sub = client.newSubscription('project/p1/presence')
    sub.subscribe()
    client.connect()
    await sub.ready()
    subs.push(sub)
  }
  const { clients: present } = await subs[0].presence()
  assert.deepEqual(Object.values(present).map(c => c.user).sort(), ['ann', 'bob'])
  assert.deepEqual(Object.keys(present).sort(), Object.values(present).map(c => c.client).sort())
  assert.deepEqual(await subs[0].presenceStats(), { numUsers: 2, numClients: 2 })
  await assert.rejects(subs[0].history({ limit: 1 }), { code: 108 })

  for (let n = 1; n <= 4; n++) await publish('project/p1/history', { n })
  const all = await ann.history('project/p1/history', { limit: -1 })
  assert.deepEqual(all.publications.map(p => p.data.n), [1, 2, 3, 4])
  const position = { offset: all.publications[1].offset, epoch: all.epoch }
  const numbers = async options => (await ann.history('project/p1/history', options)).publications.map(p => p.data.n)
  assert.deepEqual(await numbers({ limit: 1, since: position }), [3])
  assert.deepEqual(await numbers({ limit: 5, since: position, reverse: true }), [1])
  assert.deepEqual(await numbers({ limit: 2, reverse: true }), [4, 3])
  assert.deepEqual(await numbers({}), [])
  await assert.rejects(numbers({ limit: 1, since: { offset: 1, epoch: 'other' } }), { code: 112 })
  await assert.rejects(ann.history('project/p2/history', { limit: 1 }), { code: 103 })
})

test('a herd comes in, some of it later', async () => {
  await control('POST', '/herd', { token: await token('first') })
  const herd = []
  let refused = 0
  for (let i = 0; i < 40; i++) {
    const client = await open(`herd-${i}`, ws)
    client.on('error', ctx => { if (ctx.error.code === 111) refused++ })
    client.on('disconnected', ctx => { throw new Error(`ended with ${ctx.code} ${ctx.reason}`) })
    herd.push(client)
  }
  herd.forEach(c => c.connect())
  await until(() => herd.every(c => c.state === 'connected'))
  assert.ok(refused > 0, 'nobody was refused')
  herd.forEach(c => { c.removeAllListeners('disconnected'); c.disconnect() })
})
