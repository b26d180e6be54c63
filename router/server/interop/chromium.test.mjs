// The scenarios with the official client's bundle for browsers, in a real
// Chromium, on a page of the server's own origin. $SERVER and $CONTROL are given
// by interop_e2e_test.go, which runs this.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium } from 'playwright-core'
import { scenarios } from './scenarios.mjs'

const { SERVER, CONTROL, CHROMIUM = '/usr/bin/chromium' } = process.env
let profile
let browser

describe('Chromium', { concurrency: true }, () => {
  before(async () => {
    profile = await mkdtemp(join(tmpdir(), 'horizon-realtime-interop-'))
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
    })
  })
  after(async () => {
    await browser?.close()
    await rm(profile, { recursive: true, force: true })
  })

  for (const transport of ['websocket', 'http_stream', 'sse']) {
    // One scenario after another: a browser opens six connections to a server and no more.
    describe(transport, { concurrency: 1 }, () => {
      let page
      const errors = []
      before(async () => {
        page = await browser.newPage()
        page.on('pageerror', (error) => errors.push(error.message))
        await page.goto(`http://${SERVER}/interop/page.html?${new URLSearchParams({ transport, control: CONTROL })}`)
        await page.waitForFunction(() => globalThis.play)
      })
      after(() => page?.close())
      Object.keys(scenarios).forEach((name, i) => {
        test(name, () => page.evaluate(([scenario, user]) => globalThis.play(scenario, user), [name, `${transport}-${i}`]))
      })
      test('nothing was thrown on the page', () => assert.deepEqual(errors, []))
    })
  }
})
