// Package goclient holds the scenarios for the official client in Go. It is a
// module of its own, so that the client stays out of the product's; the test in
// ../../interop_e2e_test.go starts a server, and runs it with where that is in
// $SERVER and $CONTROL.
package goclient
