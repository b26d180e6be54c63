// Time for tests: timers of a jsdom window run when the test says so.

/** stopClock takes over a window's timers. */
export function stopClock(window) {
  let now = 0;
  let last = 0;
  const timers = new Map(); // id → {at, fn, every}
  const set = (fn, ms = 0, every = 0) => {
    timers.set(++last, { at: now + ms, fn, every });
    return last;
  };
  window.setTimeout = (fn, ms) => set(fn, ms);
  window.setInterval = (fn, ms) => set(fn, ms, ms);
  window.clearTimeout = (id) => timers.delete(id);
  window.clearInterval = window.clearTimeout;
  return {
    /** advance runs what is due within ms, in order, and what follows from it. */
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const [id, timer] = [...timers].filter(([, t]) => t.at <= end).sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
        if (!timer) break;
        now = timer.at;
        if (timer.every) timer.at += timer.every;
        else timers.delete(id);
        timer.fn();
      }
      now = end;
    },
  };
}

/** settle lets promises that are resolved have their say. */
export const settle = () => new Promise((resolve) => { setImmediate(resolve); });
