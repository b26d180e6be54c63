package plugin

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"horizon-realtime/router/plugin/guest/guesttest"
)

const serverUpdate = `{"payload": {"instance_id": "6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11", "display_name": "web-1", "state": "active"}}`

func TestPluginReadsItsFieldsAndEmits(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "50-route.wasm", guesttest.BuildGo(t, "route"))
	w := testRunner(t, h)
	got, outcome := gather(w, guesttest.Notification(t, "compute.instance.update", serverUpdate))
	want := []string{`route: project/8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e/instances|6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11|` +
		`{"v":1,"kind":"server","id":"6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11","name":"web-1","status":"active"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := (Outcome{Called: 1, Emitted: 1}); outcome != want {
		t.Errorf("got %+v, want %+v", outcome, want)
	}
	if got, outcome := gather(w, guesttest.Notification(t, "volume.create.end", serverUpdate)); got != nil || outcome != (Outcome{}) {
		t.Errorf("an event type nobody asked for: got %v, %+v", got, outcome)
	}
}

func TestPluginsRunInFileNameOrderUntilOneStops(t *testing.T) {
	say := func(what string, more []byte) string {
		return guesttest.Answering("on compute.*\n", append(guesttest.Emit("public/"+what, "", "1"), more...), "")
	}
	h, log := loggingHost(t, testConfig(t), map[string]Settings{"middle": {Grants: []string{"stop"}}},
		"90-last.wasm", say("last", nil),
		"10-first.wasm", say("first", guesttest.Stop()),
		"50-middle.wasm", say("middle", guesttest.Stop()))
	r := testRunner(t, h)
	for range 2 {
		got, outcome := gather(r, guesttest.Notification(t, "compute.instance.update", "{}"))
		if diff := cmp.Diff([]string{"first: public/first||1", "middle: public/middle||1"}, got); diff != "" {
			t.Error(diff)
		}
		if want := (Outcome{Called: 2, Emitted: 2, Stopped: true}); outcome != want {
			t.Errorf("got %+v, want %+v", outcome, want)
		}
	}
	if s := h.Status(); s[0].Stopped != 0 || s[1].Stopped != 2 {
		t.Errorf("%d and %d stopped", s[0].Stopped, s[1].Stopped)
	}
	if want := `plugin 10-first.wasm: it stops notifications; if it is meant to, add \"stop\" to [plugin.first] grants`; strings.Count(log.String(), want) != 1 {
		t.Errorf("the log does not say once %s:\n%s", want, log)
	}
}

func TestHandleAllocatesNothing(t *testing.T) {
	h := testHost(t, testConfig(t), nil,
		"10-drop.wasm", guesttest.BuildGo(t, "drop"), "20-route.wasm", guesttest.BuildGo(t, "route"), "30-other.wasm", guesttest.Silent("on volume.*\n"))
	w := testRunner(t, h)
	ctx, emitted := context.Background(), 0
	emit := func(e Emission) { emitted += len(e.Payload) }
	for _, eventType := range []string{"compute.instance.update", "volume.create.end", "image.update"} {
		n := guesttest.Notification(t, eventType, serverUpdate)
		w.Handle(ctx, n, emit)
		if allocs := testing.AllocsPerRun(100, func() { w.Handle(ctx, n, emit) }); allocs != 0 {
			t.Errorf("%s costs %v allocations", eventType, allocs)
		}
	}
	if emitted == 0 {
		t.Error("nothing was emitted")
	}
}

func TestMatcherIsBounded(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "10-a.wasm", guesttest.Silent("on compute.instance.*\non image.update\n"))
	m := newMatcher(h.current.load().versions)
	for i := range 3 * maxMatches {
		if got := m.match(fmt.Sprintf("compute.instance.%d", i)); len(got) != 1 {
			t.Fatalf("got %v", got)
		}
	}
	if len(m.known) > maxMatches {
		t.Errorf("%d types are remembered", len(m.known))
	}
	for eventType, want := range map[string]int{"image.update": 1, "image.update.end": 0, "compute.instance": 0, "": 0, "compute.instance.": 1} {
		if got := m.match(eventType); len(got) != want {
			t.Errorf("%q: got %v", eventType, got)
		}
	}
}
