//go:build wasip1

// Command route is a plugin that routes a message to its project, as an object
// of three of its fields.
package main

import "horizon-realtime/sdk"

var (
	id    = sdk.Want("/payload/instance_id")
	name  = sdk.Want("/payload/display_name")
	state = sdk.Want("/payload/state")
)

func init() {
	sdk.Register(sdk.Filter{On: []string{"compute.instance.*"}, Handle: func(e *sdk.Event) {
		server := e.Get(id)
		m := e.Object()
		m.Int("v", 1)
		m.String("kind", "server")
		m.Value("id", server)
		m.Value("name", e.Get(name))
		m.Value("status", e.Get(state))
		e.Emit(sdk.Project(e.Project(), "instances"), server.Text(), m)
	}})
}

func main() {}
