//go:build wasip1

// Command drop is a filter that looks at three fields and says nothing.
package main

import "horizon-realtime/sdk"

var (
	id    = sdk.Want("/payload/instance_id")
	name  = sdk.Want("/payload/display_name")
	state = sdk.Want("/payload/state")
)

func init() {
	sdk.Register(sdk.Filter{On: []string{"compute.instance.*"}, Handle: func(e *sdk.Event) {
		if e.Get(id).Text() == "" || e.Get(name).Text() == "" || e.Get(state).Text() == "no such state" {
			e.Stop()
		}
	}})
}

func main() {}
