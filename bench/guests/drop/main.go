//go:build wasip1

// Command drop is a plugin that looks at one field and says nothing.
package main

import "horizon-realtime/sdk"

var state = sdk.Want("/payload/state")

func init() {
	sdk.Register(sdk.Filter{On: []string{"compute.instance.*"}, Handle: func(e *sdk.Event) {
		if e.Get(state).Text() == "" {
			e.Stop()
		}
	}})
}

func main() {}
