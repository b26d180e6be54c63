// Package hub numbers every publication, keeps a bounded history of each channel,
// and hands new publications to the subscribers.
//
// In: publications from the router's workers, subscriptions from the server's
// sessions. Out: encoded batches, one buffer for all subscribers of a channel, and
// a View of one channel, for its history and presence.
// Callers: router publishes and runs it, server subscribes. It is split into
// shards by Channel.Group; a shard is one goroutine that owns its groups,
// channels, subscribers and history, so publishing, subscribing and recovering
// happen in one order and need no lock but that of the shard's queue, in which
// groups take turns (package fair).
package hub
