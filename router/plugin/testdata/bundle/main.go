// A bundle of two plugins, each of which wants fields of its own beside one in common.
package main

import (
	_ "horizon-realtime/router/plugin/testdata/bundle/sizes"
	_ "horizon-realtime/router/plugin/testdata/bundle/states"
)

func main() {}
