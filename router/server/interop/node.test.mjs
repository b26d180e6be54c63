// The scenarios with the official client in Node. $SERVER and $CONTROL are given
// by interop_e2e_test.go, which runs this.
import { after, describe, test } from 'node:test'
import { Centrifuge } from 'centrifuge'
import { EventSource } from 'eventsource'
import WebSocket from 'ws'
import { controlOf, opener, scenarios } from './scenarios.mjs'

const { SERVER, CONTROL } = process.env
const control = controlOf(CONTROL)

describe('Node', { concurrency: true }, () => {
  for (const transport of ['websocket', 'http_stream', 'sse']) {
    describe(transport, { concurrency: true }, () => {
      const { open, closeAll } = opener(Centrifuge, SERVER, transport, control, {
        websocket: WebSocket, eventsource: EventSource, fetch, readableStream: ReadableStream,
      })
      after(closeAll)
      Object.entries(scenarios).forEach(([name, scenario], i) => {
        test(name, () => scenario({ open, control, transport }, `${transport}-${i}`))
      })
    })
  }
})
