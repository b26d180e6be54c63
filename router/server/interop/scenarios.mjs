// What the official client must be able to do with this server, for node.test.mjs
// and, in a real browser, chromium.test.mjs. Each scenario has a user, with a
// project of the same name, to itself; it gets
//   open(user, options)  a client that is not connected yet
//   control              what happens on the server's side, see interop_e2e_test.go
//   transport            websocket, http_stream or sse

const PATIENCE = 15_000 // ms, far more than anything here takes

// same compares by value, also in browsers, which have no assertions.
const same = (got, want) => {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)]
  if (a !== b) throw new Error(`got ${a}, not ${b}`)
}

// once waits for an event that matches.
const once = (emitter, event, matches = () => true) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), PATIENCE)
  const listen = (ctx) => {
    if (!matches(ctx)) return
    clearTimeout(timer)
    emitter.removeListener(event, listen)
    resolve(ctx)
  }
  emitter.on(event, listen)
})

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms) })

const until = async (condition) => {
  for (const end = Date.now() + PATIENCE; !condition();) {
    if (Date.now() > end) throw new Error(`not in time: ${condition}`)
    await pause(5)
  }
}

// refused waits for a promise to be rejected with a code.
const refused = async (promise, code) => {
  const error = await promise.then(() => ({ code: 'none' }), (e) => e)
  same(error.code, code)
}

/** controlOf talks to the handler of that name in interop_e2e_test.go. */
export const controlOf = (base) => {
  const call = async (method, path, query = {}, body) => {
    const answer = await fetch(`${base}${path}?${new URLSearchParams(query)}`, { method, body })
    same(answer.status, 200)
    return answer.text()
  }
  return {
    publish: (channel, data) => call('POST', '/publish', { channel }, JSON.stringify(data)),
    token: (user, life = '1h', channels = '') => call('GET', '/token', { user, project: user, life, channels }),
    position: async () => JSON.parse(await call('GET', '/position')),
    pongs: () => call('GET', '/pongs'),
    cut: (user) => call('POST', '/cut', { user }),
    disconnect: (user, code) => call('POST', '/disconnect', { user, code }),
  }
}

export const scenarios = {
  'connects, subscribes, hears, unsubscribes': async ({ open, control, transport }, user) => {
    const client = await open(user)
    const exact = client.newSubscription(`project/${user}/instances`)
    const all = client.newSubscription(`project/${user}/*`)
    const heard = { exact: [], all: [] }
    exact.on('publication', (ctx) => heard.exact.push(ctx))
    all.on('publication', (ctx) => heard.all.push(ctx))
    exact.subscribe()
    all.subscribe()
    const connected = once(client, 'connected')
    client.connect()
    same((await connected).transport, transport)
    await Promise.all([exact.ready(), all.ready()])
    await control.publish(`project/${user}/instances`, { id: 'a', name: 'snow ☃' })
    await control.publish('project/another/instances', { id: 'not for us' })
    await control.publish(`project/${user}/volumes`, { id: 'b' })
    await until(() => heard.exact.length === 1 && heard.all.length === 2)
    same(heard.exact[0].data, { id: 'a', name: 'snow ☃' })
    same(heard.exact[0].channel, `project/${user}/instances`)
    same(heard.all.map((p) => p.channel), [`project/${user}/*`, `project/${user}/*`])
    same(heard.all.map((p) => p.tags.channel), [`project/${user}/instances`, `project/${user}/volumes`])
    same(heard.all[0].offset < heard.all[1].offset, true)

    exact.unsubscribe()
    await control.publish(`project/${user}/instances`, { id: 'c' })
    await until(() => heard.all.length === 3)
    same(heard.exact.length, 1)
    exact.subscribe()
    await exact.ready()
    await control.publish(`project/${user}/instances`, { id: 'd' })
    await until(() => heard.exact.at(-1).data.id === 'd' && heard.all.length === 4)
    client.disconnect()
    same(client.state, 'disconnected')
  },

  'is refused what is not its own': async ({ open }, user) => {
    const client = await open(user)
    client.connect()
    await client.ready()
    for (const channel of ['project/another/instances', 'project/another/*', 'user/another/things', 'admin/hypervisors']) {
      const sub = client.newSubscription(channel)
      const gone = once(sub, 'unsubscribed')
      sub.subscribe()
      same((await gone).code, 103)
    }
    for (const channel of [`project/${user}/../another/instances`, `PROJECT/${user}/instances`, '*']) {
      const sub = client.newSubscription(channel)
      const gone = once(sub, 'unsubscribed')
      sub.subscribe()
      same((await gone).code, 102)
    }
    await refused(client.rpc('x', {}), 108)
    await refused(client.publish(`project/${user}/a`, {}), 108)
    const mine = client.newSubscription('public/p')
    mine.subscribe()
    await mine.ready()
    await refused(mine.presence(), 108)
    await refused(mine.history({ limit: 1 }), 108)
    same(client.state, 'connected')
  },

  'recovers what it has missed after a cut': async ({ open, control }, user) => {
    const client = await open(user)
    const sub = client.newSubscription(`user/${user}/things`)
    const wild = client.newSubscription(`user/${user}/*`)
    const heard = []
    const wildHeard = []
    sub.on('publication', (ctx) => heard.push(ctx.data.n))
    wild.on('publication', (ctx) => wildHeard.push(ctx.data.n))
    sub.subscribe()
    wild.subscribe()
    client.connect()
    await Promise.all([sub.ready(), wild.ready()])
    let n = 0
    for (let round = 0; round < 3; round++) {
      await control.publish(`user/${user}/things`, { n: ++n })
      await until(() => heard.length === n && wildHeard.length === n)
      const again = [once(sub, 'subscribed'), once(wild, 'subscribed')]
      await control.cut(user)
      await control.publish(`user/${user}/things`, { n: ++n })
      await control.publish(`user/${user}/things`, { n: ++n })
      for (const ctx of await Promise.all(again)) same([ctx.wasRecovering, ctx.recovered], [true, true])
      await until(() => heard.length === n && wildHeard.length === n)
    }
    const want = Array.from({ length: n }, (_, i) => i + 1)
    same(heard, want)
    same(wildHeard, want)
  },

  'recovers more than may wait for it, in pieces': async ({ open, control }, user) => {
    const client = await open(user)
    const sub = client.newSubscription(`user/${user}/things`)
    const heard = []
    sub.on('publication', (ctx) => heard.push(ctx.data.n))
    sub.subscribe()
    client.connect()
    await sub.ready()
    await control.publish(`user/${user}/things`, { n: 0 })
    await until(() => heard.length === 1)
    client.disconnect()
    const text = 'x'.repeat(20_000)
    for (let n = 1; n <= 90; n++) await control.publish(`user/${user}/things`, { n, text })
    const again = once(sub, 'subscribed')
    client.connect()
    const ctx = await again
    same([ctx.wasRecovering, ctx.recovered], [true, true])
    await control.publish(`user/${user}/things`, { n: 91 })
    await until(() => heard.length === 92)
    same(heard, Array.from({ length: 92 }, (_, i) => i))
    client.disconnect()
  },

  'recovers from the position a page was rendered at, or is told that it cannot': async ({ open, control }, user) => {
    const since = await control.position()
    await control.publish(`user/${user}/things`, { n: 1 })
    const client = await open(user)
    const sub = client.newSubscription(`user/${user}/things`, { since })
    const heard = []
    sub.on('publication', (ctx) => heard.push(ctx.data.n))
    const subscribed = once(sub, 'subscribed')
    sub.subscribe()
    client.connect()
    same((await subscribed).recovered, true)
    await until(() => heard.length === 1)

    const other = client.newSubscription(`user/${user}/*`, { since: { epoch: 'another', offset: 1 } })
    const otherSubscribed = once(other, 'subscribed')
    other.subscribe()
    const ctx = await otherSubscribed
    same([ctx.wasRecovering, ctx.recovered], [true, false])
  },

  'refreshes its token and stays': async ({ open, control }, user) => {
    let asked = 0
    const client = await open(user, { getToken: () => { asked++; return control.token(user, '4s') } })
    client.connect()
    await client.ready()
    let dropped = false
    client.on('connecting', () => { dropped = true })
    await until(() => asked >= 3)
    same([client.state, dropped], ['connected', false])
  },

  'loses the channels that a new token does not have': async ({ open, control }, user) => {
    const kept = `project/${user}/volumes`
    const tokens = [await control.token(user, '3s'), await control.token(user, '1h', kept)]
    const client = await open(user, { getToken: async () => tokens.shift() })
    const [lost, mine] = [client.newSubscription(`project/${user}/*`), client.newSubscription(kept)]
    const heard = []
    mine.on('publication', (ctx) => heard.push(ctx.data.n))
    const gone = once(lost, 'unsubscribed')
    lost.subscribe()
    mine.subscribe()
    client.connect()
    await Promise.all([lost.ready(), mine.ready()])
    same((await gone).code, 2000)
    await control.publish(kept, { n: 1 })
    await until(() => heard.length === 1)
    same([lost.state, mine.state, client.state], ['unsubscribed', 'subscribed', 'connected'])
  },

  'is sent away when its token runs out, and comes back with another': async ({ open, control }, user) => {
    let answer
    const tokens = [control.token(user, '2s'), new Promise((resolve) => { answer = resolve })]
    const client = await open(user, { getToken: () => tokens.shift() ?? control.token(user) })
    const connecting = once(client, 'connecting', (ctx) => ctx.code > 0)
    client.connect()
    await client.ready()
    same((await connecting).code, 3005)
    const connected = once(client, 'connected')
    answer(await control.token(user))
    await connected
  },

  'asks for another token when its own has expired': async ({ open, control }, user) => {
    const old = await control.token(user, '-1s')
    const client = await open(user, { token: old, getToken: () => control.token(user) })
    client.connect()
    await client.ready()
    same(client.state, 'connected')
  },

  'comes back after some codes': async ({ open, control }, user) => {
    const client = await open(user)
    const sub = client.newSubscription(`user/${user}/things`)
    sub.subscribe()
    client.connect()
    await sub.ready()
    for (const code of [3001, 3004, 3005, 3008, 3009, 3012, 3013]) {
      const again = [once(client, 'connecting'), once(client, 'connected'), once(sub, 'subscribed')]
      await control.disconnect(user, code)
      const [connecting, , subscribed] = await Promise.all(again)
      same([connecting.code, connecting.reason, subscribed.recovered], [code, 'by the test', true])
    }
  },

  'stays away after the others': async ({ open, control }, user) => {
    const client = await open(user)
    for (const code of [3500, 3501, 3502, 3503, 3504, 3507]) {
      client.connect()
      await client.ready()
      const disconnected = once(client, 'disconnected')
      await control.disconnect(user, code)
      const ctx = await disconnected
      same([ctx.code, ctx.reason], [code, 'by the test'])
    }
    const stranger = await open(user, { token: 'a.b.c' })
    const ended = once(stranger, 'disconnected')
    stranger.connect()
    same((await ended).code, 3500)
  },

  'answers pings': async ({ open, control }, user) => {
    const client = await open(user)
    client.connect()
    await client.ready()
    let dropped = false
    client.on('connecting', () => { dropped = true })
    const before = Number(await control.pongs())
    while (Number(await control.pongs()) < before + 3) await pause(20)
    same([dropped, client.state], [false, 'connected'])
  },
}

/** opener makes open, and closeAll for what it has opened. */
export const opener = (Centrifuge, server, transport, control, options) => {
  const clients = []
  const endpoint = `${transport === 'websocket' ? 'ws' : 'http'}://${server}/realtime/connection/${transport}`
  return {
    open: async (user, more = {}) => {
      const client = new Centrifuge([{ transport, endpoint }], {
        emulationEndpoint: `http://${server}/realtime/emulation`,
        minReconnectDelay: 20, maxReconnectDelay: 200,
        token: more.getToken ? '' : await control.token(user),
        ...options, ...more,
      })
      clients.push(client)
      return client
    },
    closeAll: () => clients.splice(0).forEach((c) => c.disconnect()),
  }
}
