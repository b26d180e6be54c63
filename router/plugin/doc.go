// Package plugin keeps the plugins of a folder loaded, and runs notifications
// through them.
//
// In: files named `50-nova.wasm`, each a plugin or a bundle of several, their
// [plugin.nova] tables, and one event.Notification at a time from a worker of
// the router. Out: emissions (channel, key, payload) that point into the guest's
// memory. The router calls New, Load and Run once, and owns one Runner per worker.
// Package guest is the sandbox that a module runs in.
//
// A file's way: watch (something changed) → folder (which files are there) →
// source (which of them are new) → code (read, verify, compile, ask which plugins
// are in it) → reload (which plugins are new) → load (start, self-test) → set (all
// plugins at one moment, swapped in at once).
// A notification's way: runner → match (who asked for its type) → guest → the
// caller's emit; health decides whether a plugin is called at all.
package plugin
