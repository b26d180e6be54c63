// Package wire is the protocol: the JSON form of Centrifuge's, as the official
// clients speak it, and the websocket frames that it travels in.
//
// In: lines from clients (ParseCommand), and publications. Out: replies, pushes,
// batches of publications that are encoded once for all subscribers, and the
// codes that errors and closed connections have. Callers: hub makes batches,
// server's sessions parse and reply, its transports send. The package knows
// bytes only: nothing here waits, locks or does I/O.
package wire
