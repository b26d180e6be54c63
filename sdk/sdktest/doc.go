// Package sdktest runs a plugin natively, under `go test`: it is the router as
// far as the plugin can see, in plain Go. A plugin's test imports it, and the
// plugin that the tested package registers is the one that runs.
//
// The usual test is one line, and its cases are files (see Case):
//
//	func TestGolden(t *testing.T) { sdktest.Golden(t, "testdata") }
//
// `go test . -update` writes what the plugin emits into the files, to be read
// and committed. Who owns the resource is the router's to find out, by rules
// that are not repeated here, so a case says it.
package sdktest
