// Package plugins holds the stock set, as `make plugins` compiled it, so that the
// program carries the one that it was built with. The command line hands it to
// package router/plugin, which trusts it as it does its own code.
package plugins

import "embed"

// The pattern matches this file as well, so that the program can be built without the
// set.
//
//go:embed *.*
var files embed.FS

// Stock returns the module, or nil if the program was built without it.
func Stock() []byte {
	module, err := files.ReadFile("50-stock.wasm")
	if err != nil {
		return nil
	}
	return module
}
