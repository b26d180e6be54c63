package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"

	"horizon-realtime/router/event"
)

// extismGuest is a guest as a plugin of Extism's Go SDK. A timeout is the only
// bound on a plugin's running time there is; without one there is none.
type extismGuest struct {
	plugin *extism.Plugin
	name   string
	input  []byte
}

func newExtism(module []byte, guest string, n *event.Notification, timeout time.Duration) (*extismGuest, error) {
	p, err := extism.NewPlugin(context.Background(), extism.Manifest{
		Wasm: []extism.Wasm{extism.WasmData{Data: module, Name: "main"}}, Timeout: uint64(timeout.Milliseconds()),
	}, extism.PluginConfig{EnableWasi: true}, nil)
	if err != nil {
		return nil, fmt.Errorf("make the Extism plugin: %w", err)
	}
	input := wantedFields(guest, n)
	if guest == "route" {
		input = append([]string{n.Project}, input...)
	}
	return &extismGuest{p, guest, []byte(strings.Join(input, "\n"))}, nil
}

func (g *extismGuest) call() error {
	code, out, err := g.plugin.Call(g.name, g.input)
	if err != nil {
		return err
	}
	if code != 0 || (len(out) > 0) != (g.name == "route") {
		return fmt.Errorf("under Extism, %s returned %d and %d bytes", g.name, code, len(out))
	}
	return nil
}

func (g *extismGuest) close() { g.plugin.Close(context.Background()) }
