package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"

	"horizon-realtime/router/event"
)

// extismGuest is the filters as a plugin of Extism's Go SDK. A timeout is the only
// bound on a plugin's running time there is; without one there is none.
type extismGuest struct {
	plugin *extism.Plugin
	input  []byte
}

func newExtism(n *event.Notification, timeout time.Duration) (*extismGuest, error) {
	module, err := buildGuest("extism")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	p, err := extism.NewPlugin(ctx, extism.Manifest{
		Wasm: []extism.Wasm{extism.WasmData{Data: module, Name: "main"}}, Timeout: uint64(timeout.Milliseconds()),
	}, extism.PluginConfig{EnableWasi: true}, nil)
	if err != nil {
		return nil, fmt.Errorf("make the Extism plugin: %w", err)
	}
	field := func(path string) string { return n.Get(pointer(path)).Text() }
	input := strings.Join([]string{n.Project, field("/payload/instance_id"), field("/payload/display_name"), field("/payload/state")}, "\n")
	return &extismGuest{p, []byte(input)}, nil
}

func (g *extismGuest) call(filter string) error {
	code, out, err := g.plugin.Call(filter, g.input)
	if err != nil {
		return err
	}
	if code != 0 || (len(out) > 0) != (filter == "route") {
		return fmt.Errorf("Extism's %s returned %d and %d bytes", filter, code, len(out))
	}
	return nil
}

func (g *extismGuest) close() { g.plugin.Close(context.Background()) }
