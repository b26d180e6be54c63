// Package sdktest runs a filter natively, under `go test`: it is the router as
// far as the filter can see, in plain Go. A filter's test imports it, and the
// filter that the tested package registers is the one that runs.
//
// The usual test is one line, and its cases are files (see Case):
//
//	func TestGolden(t *testing.T) { sdktest.Golden(t, "testdata") }
//
// `go test . -update` writes what the filter emits into the files, to be read
// and committed. Who owns the resource is the router's to find out, by rules
// that are not repeated here, so a case says it.
package sdktest
