package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/sdk/sdktest"
)

// said is one emission of a compiled plugin.
type said struct {
	sdktest.Emission
	plugin string
	// refused is why the router would not publish it, nil if it would.
	refused error
}

// send runs a message through all stock plugins, and asks the router's own door
// about each emission. The message may be one that the decoder refuses.
func (s *stock) send(t *testing.T, message []byte) (n *event.Notification, all []said, ok bool) {
	t.Helper()
	n = new(event.Notification)
	var judge auth.Judge
	if err := decoder.Decode(n, message, ""); err != nil {
		return n, nil, false
	}
	outcome := s.worker.Handle(context.Background(), n, func(e plugin.Emission) {
		one := said{plugin: e.Plugin, Emission: sdktest.Emission{
			Channel: string(e.Channel), Key: string(e.Key), Removed: e.Removed, Payload: slices.Clone(e.Payload),
		}}
		_, one.refused = judge.Verdict(e.Permit, n, e.Channel)
		all = append(all, one)
	})
	if outcome.Faults > 0 || outcome.Skipped > 0 {
		t.Errorf("%+v for %s %s of %.40q: %.200s", outcome, n.Type, n.MessageID, n.Resource, message)
	}
	return n, all, true
}

var decoder = oslo.NewDecoder(oslo.DefaultConfig())

// shape is what two messages about the same kind of event have in common: their
// topic, kind and action.
func shape(e sdktest.Emission) string {
	var m struct{ Kind, Action string }
	if err := json.Unmarshal(e.Payload, &m); err != nil {
		return err.Error()
	}
	parts := strings.Split(e.Channel, "/")
	shape := parts[0] + "/…/" + parts[len(parts)-1] + " " + m.Kind + " " + m.Action
	if e.Removed {
		shape += " removed"
	}
	return shape
}

// columns are the members of a panel message's data.
func columns(e sdktest.Emission) (names []string) {
	var m struct{ Data map[string]json.RawMessage }
	if json.Unmarshal(e.Payload, &m) != nil {
		return nil
	}
	for name := range m.Data {
		names = append(names, name)
	}
	return names
}
