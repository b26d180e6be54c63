// Package clienttest is clients for tests of the server and its parts: over
// websockets and both fallbacks, byte by byte, so that they can misbehave.
//
// In: the address of a server. Out: what it says, parsed. Callers: tests only.
// What a server must not do fails the test.
package clienttest
