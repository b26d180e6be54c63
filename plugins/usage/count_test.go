package usage

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk/sdktest"
)

// volume makes one of cinder's notifications.
func volume(at time.Time, event, id string, size int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"message_id":"m","publisher_id":"volume.h","event_type":"volume.%s","priority":"INFO",
		"timestamp":%q,"payload":{"volume_id":%q,"size":%d}}`, event, at.Format("2006-01-02 15:04:05.000000"), id, size))
}

// told is what a message says of volumes.
type told struct {
	Data struct {
		Since string
		Total struct{ Volumes, Gigabytes int64 }
	}
}

// A page that follows the rule in the package's comment shows what a project
// really has, whatever happens, is told twice, or is given to another project.
func TestPagesAreRight(t *testing.T) {
	const projects, steps = 3, 3000
	random := rand.New(rand.NewPCG(1, 2))
	f := sdktest.Start(t, "")
	type thing struct{ owner, size int }
	things := map[int]thing{}
	var real, shown, base [projects]struct{ volumes, gigabytes int64 }
	var since [projects]string
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	send := func(owner int, event string, n, size int) {
		now = now.Add(time.Millisecond)
		message := volume(now, event, fmt.Sprintf("v%d", n), size)
		for range 1 + random.IntN(2) { // at least once
			a := f.Send(sdktest.Notification{Message: message, Project: fmt.Sprintf("p%d", owner)})
			for _, e := range a.Emissions {
				var m told
				if err := json.Unmarshal(e.Payload, &m); err != nil {
					t.Fatal(err)
				}
				total := m.Data.Total
				if since[owner] != m.Data.Since { // the page asks Horizon
					since[owner] = m.Data.Since
					base[owner].volumes, base[owner].gigabytes = real[owner].volumes-total.Volumes, real[owner].gigabytes-total.Gigabytes
				}
				shown[owner].volumes, shown[owner].gigabytes = base[owner].volumes+total.Volumes, base[owner].gigabytes+total.Gigabytes
			}
		}
	}
	for step := range steps {
		switch n := random.IntN(step + 1); random.IntN(4) {
		case 0, 1:
			owner, size := random.IntN(projects), 1+random.IntN(9)
			things[step] = thing{owner, size}
			real[owner].volumes, real[owner].gigabytes = real[owner].volumes+1, real[owner].gigabytes+int64(size)
			send(owner, "create.start", step, size)
			send(owner, "create.end", step, size)
		case 2:
			v, ok := things[n]
			if !ok {
				continue
			}
			delete(things, n)
			real[v.owner].volumes, real[v.owner].gigabytes = real[v.owner].volumes-1, real[v.owner].gigabytes-int64(v.size)
			send(v.owner, "delete.end", n, v.size)
			send(v.owner, "resize.end", n, v.size+1) // late
		case 3:
			v, ok := things[n]
			if !ok {
				continue
			}
			real[v.owner].gigabytes++
			v.size++
			things[n] = v
			send(v.owner, "resize.end", n, v.size)
			to := (v.owner + 1) % projects
			real[v.owner].volumes, real[v.owner].gigabytes = real[v.owner].volumes-1, real[v.owner].gigabytes-int64(v.size)
			real[to].volumes, real[to].gigabytes = real[to].volumes+1, real[to].gigabytes+int64(v.size)
			things[n] = thing{to, v.size}
			if random.IntN(8) > 0 { // lost otherwise, or of a version that says nothing
				send(v.owner, "transfer.accept.start", n, v.size)
			}
			send(to, "transfer.accept.end", n, v.size)
		}
	}
	for owner := range projects { // who gave a volume away hears of it with the next change
		real[owner].volumes, real[owner].gigabytes = real[owner].volumes+1, real[owner].gigabytes+1
		send(owner, "create.end", steps+owner, 1)
		if shown[owner] != real[owner] {
			t.Errorf("project %d: the page shows %v, there are %v", owner, shown[owner], real[owner])
		}
	}
}

func TestStoredCounters(t *testing.T) {
	c := counters{instances: 3, memoryMB: -4096, securityGroups: 1 << 40}
	if got := parse(string(c.text(nil))); got != c {
		t.Errorf("got %v, want %v", got, c)
	}
	if got := parse("nonsense"); got != (counters{}) {
		t.Errorf("of nonsense: %v", got)
	}
}

// So many at once that they are not counted make pages ask Horizon.
func TestManyAtOnceBeginAnew(t *testing.T) {
	f := sdktest.Start(t, "")
	since := func(at string, ids int) string {
		t.Helper()
		list := "[" + strings.TrimSuffix(strings.Repeat(`{"id":"`+at+`"},`, ids), ",") + "]"
		a := f.Send(sdktest.Notification{Project: "p1", Message: []byte(`{"message_id":"m","event_type":"network.create.end","priority":"INFO",
			"timestamp":"2026-11-23 ` + at + `.000000","payload":{"networks":` + list + `}}`)})
		if len(a.Emissions) != 1 {
			t.Fatalf("%d at once: %d emissions", ids, len(a.Emissions))
		}
		var m told
		if err := json.Unmarshal(a.Emissions[0].Payload, &m); err != nil {
			t.Fatal(err)
		}
		return m.Data.Since
	}
	first := since("10:00:00", 1)
	if got := since("10:00:01", panel.MaxAtOnce); got != first {
		t.Errorf("after a few at once it is counted since %s, want %s", got, first)
	}
	if got := since("10:00:02", panel.MaxAtOnce+1); got == first {
		t.Errorf("after many at once it is still counted since %s", got)
	}
}
