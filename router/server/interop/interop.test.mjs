// Run by TestOfficialJavaScriptClient, which starts the server at $SERVER and
// something to control it with at $CONTROL.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Centrifuge } from 'centrifuge'
import { EventSource } from 'eventsource'
import WebSocket from 'ws'

const { SERVER, CONTROL } = process.env
const endpoints = {
  websocket: `ws://${SERVER}/realtime/connection/websocket`,
  http_stream: `http://${SERVER}/realtime/connection/http_stream`,
  sse: `http://${SERVER}/realtime/connection/sse`,
}

const control = async (method, path, query = {}, body) => {
  const answer = await fetch(`${CONTROL}${path}?${new URLSearchParams(query)}`, { method, body })
  assert.equal(answer.status, 200)
  return answer.text()
}
const publish = (channel, data) => control('POST', '/publish', { channel }, JSON.stringify(data))
const token = (user, life = '1h') => control('GET', '/token', { user, life })

// once waits for an event that matches.
const once = (emitter, event, matches = () => true) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), 10_000)
  const listen = ctx => {
    if (!matches(ctx)) return
    clearTimeout(timer)
    emitter.removeListener(event, listen)
    resolve(ctx)
  }
  emitter.on(event, listen)
})

const until = async (condition) => {
  for (const end = Date.now() + 10_000; !condition();) {
    if (Date.now() > end) throw new Error(`not in time: ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

for (const transport of Object.keys(endpoints)) {
  describe(transport, () => {
    const clients = []
    after(() => clients.forEach(c => c.disconnect()))

    const open = async (user, options = {}) => {
      const client = new Centrifuge([{ transport, endpoint: endpoints[transport] }], {
        websocket: WebSocket, eventsource: EventSource, fetch, readableStream: ReadableStream,
        emulationEndpoint: `http://${SERVER}/realtime/emulation`,
        minReconnectDelay: 20, maxReconnectDelay: 200,
        token: options.getToken ? '' : await token(user),
        ...options,
      })
      clients.push(client)
      return client
    }

    test('connects, subscribes, hears, unsubscribes', async () => {
      const user = `${transport}-hears`
      const client = await open(user)
      const exact = client.newSubscription('project/p1/instances')
      const all = client.newSubscription('project/p1/*')
      const heard = { exact: [], all: [] }
      exact.on('publication', ctx => heard.exact.push(ctx))
      all.on('publication', ctx => heard.all.push(ctx))
      exact.subscribe()
      all.subscribe()
      client.connect()
      const ctx = await once(client, 'connected')
      assert.equal(ctx.transport, transport)
      await Promise.all([exact.ready(), all.ready()])
      await publish('project/p1/instances', { id: 'a', name: 'snow ☃' })
      await publish('project/p1/volumes', { id: 'b' })
      await until(() => heard.exact.length === 1 && heard.all.length === 2)
      assert.deepEqual(heard.exact[0].data, { id: 'a', name: 'snow ☃' })
      assert.equal(heard.exact[0].channel, 'project/p1/instances')
      assert.equal(heard.all[0].channel, 'project/p1/*')
      assert.deepEqual(heard.all.map(p => p.tags.channel), ['project/p1/instances', 'project/p1/volumes'])
      assert.ok(heard.all[0].offset < heard.all[1].offset)

      exact.unsubscribe()
      await publish('project/p1/instances', { id: 'c' })
      await until(() => heard.all.length === 3)
      assert.equal(heard.exact.length, 1)
      exact.subscribe()
      await exact.ready()
      await publish('project/p1/instances', { id: 'd' })
      await until(() => heard.exact.length >= 2 && heard.all.length === 4)
      assert.equal(heard.exact.at(-1).data.id, 'd')

      client.disconnect()
      assert.equal(client.state, 'disconnected')
    })

    test('is refused what is not its own', async () => {
      const client = await open(`${transport}-refused`)
      client.connect()
      await client.ready()
      const sub = client.newSubscription('project/p2/instances')
      const gone = once(sub, 'unsubscribed')
      sub.subscribe()
      assert.equal((await gone).code, 103)
      await assert.rejects(client.rpc('x', {}), { code: 108 })
      await assert.rejects(client.publish('project/p1/a', {}), { code: 108 })
      const mine = client.newSubscription('public/p')
      mine.subscribe()
      await mine.ready()
      await assert.rejects(mine.presence(), { code: 108 })
      await assert.rejects(mine.history({ limit: 1 }), { code: 108 })
    })

    test('recovers what it has missed after a cut', async () => {
      const user = `${transport}-cut`
      const client = await open(user)
      const sub = client.newSubscription(`user/${user}/things`)
      const wild = client.newSubscription(`user/${user}/*`)
      const heard = [], wildHeard = []
      sub.on('publication', ctx => heard.push(ctx.data.n))
      wild.on('publication', ctx => wildHeard.push(ctx.data.n))
      sub.subscribe()
      wild.subscribe()
      client.connect()
      await Promise.all([sub.ready(), wild.ready()])
      let n = 0
      for (let round = 0; round < 3; round++) {
        await publish(`user/${user}/things`, { n: ++n })
        const again = [once(sub, 'subscribed'), once(wild, 'subscribed')]
        await until(() => heard.length === n)
        await control('POST', '/cut', { user })
        await publish(`user/${user}/things`, { n: ++n })
        await publish(`user/${user}/things`, { n: ++n })
        for (const ctx of await Promise.all(again)) {
          assert.equal(ctx.wasRecovering, true)
          assert.equal(ctx.recovered, true)
        }
        await until(() => heard.length === n && wildHeard.length === n)
      }
      const want = Array.from({ length: n }, (_, i) => i + 1)
      assert.deepEqual(heard, want)
      assert.deepEqual(wildHeard, want)
    })

    test('recovers from the position a page was rendered at, or is told that it cannot', async () => {
      const user = `${transport}-since`
      const since = JSON.parse(await control('GET', '/position'))
      await publish(`user/${user}/things`, { n: 1 })
      const client = await open(user)
      const sub = client.newSubscription(`user/${user}/things`, { since })
      const heard = []
      sub.on('publication', ctx => heard.push(ctx.data.n))
      const subscribed = once(sub, 'subscribed')
      sub.subscribe()
      client.connect()
      assert.equal((await subscribed).recovered, true)
      await until(() => heard.length === 1)

      const other = client.newSubscription(`user/${user}/*`, { since: { epoch: 'another', offset: 1 } })
      const refused = once(other, 'subscribed')
      other.subscribe()
      const ctx = await refused
      assert.equal(ctx.wasRecovering, true)
      assert.equal(ctx.recovered, false)
    })

    test('refreshes its token', async () => {
      const user = `${transport}-refresh`
      let asked = 0
      const client = await open(user, { getToken: () => { asked++; return token(user, '4s') } })
      client.connect()
      await client.ready()
      let dropped = false
      client.on('connecting', () => { dropped = true })
      await until(() => asked >= 3)
      assert.equal(client.state, 'connected')
      assert.equal(dropped, false)
    })

    test('asks for another token when its own has expired', async () => {
      const user = `${transport}-expired`
      const old = await token(user, '-1s')
      const client = await open(user, { token: old, getToken: () => token(user) })
      client.connect()
      await client.ready()
      assert.equal(client.state, 'connected')
    })

    test('comes back after 3001, stays away after 3503 and 3500', async () => {
      const user = `${transport}-codes`
      const client = await open(user)
      client.connect()
      await client.ready()
      const connecting = once(client, 'connecting')
      const connected = once(client, 'connected')
      await control('POST', '/disconnect', { user, code: 3001 })
      assert.equal((await connecting).code, 3001)
      await connected
      const disconnected = once(client, 'disconnected')
      await control('POST', '/disconnect', { user, code: 3503 })
      const ctx = await disconnected
      assert.equal(ctx.code, 3503)
      assert.equal(ctx.reason, 'by the test')

      const stranger = await open(user, { token: 'a.b.c' })
      const ended = once(stranger, 'disconnected')
      stranger.connect()
      assert.equal((await ended).code, 3500)
    })

    test('answers pings', async () => {
      const user = `${transport}-pings`
      const client = await open(user)
      client.connect()
      await client.ready()
      let dropped = false
      client.on('connecting', () => { dropped = true })
      const pings = new Set()
      while (pings.size < 4) pings.add(await control('GET', '/ping', { user }))
      assert.equal(dropped, false)
      assert.equal(client.state, 'connected')
    })
  })
}
