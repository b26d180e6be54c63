package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSiege is a siege in brief: one plugin of each fate, and some reloads.
// What is counted must be right; how long it takes is the machine's.
func TestSiege(t *testing.T) {
	for _, through := range []string{"memory", "RabbitMQ"} {
		t.Run(through, func(t *testing.T) { testSiege(t, through == "RabbitMQ") })
	}
}

func testSiege(t *testing.T, rabbit bool) {
	p := plan{
		root:     filepath.Join("..", ".."),
		names:    []string{"endless-loop", "memory-bomb", "two-memories"},
		rabbit:   rabbit,
		rate:     200,
		watch:    300 * time.Millisecond,
		reloads:  10,
		progress: testLog{t},
	}
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.wrong()...); err != nil {
		t.Error(err)
	}
	tables := r.tables()
	for _, want := range []string{
		"| none of them |",
		// By its fuel or by its time: that is the machine's.
		"| quarantined: plugin 10-endless-loop.wasm: 5 faults of ",
		"| running: ",
		"| refused: plugin 10-two-memories.wasm: it is not admitted: memory section: 2 memories, the limit is 1; ",
		"| 10 times in ",
	} {
		if !strings.Contains(tables, want) {
			t.Errorf("the tables lack %q:\n%s", want, tables)
		}
	}
	if len(r.rows) != 4 || r.reloads.count != 10 || r.published < 200 {
		t.Errorf("%d rows, %d reloads, %d notifications", len(r.rows), r.reloads.count, r.published)
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// What goes wrong is found: in a ledger with a loss, a double and a stranger.
func TestWrongIsFound(t *testing.T) {
	l := newLedger()
	for range 4 {
		l.publish(time.Now())
	}
	l.deliver(0)
	l.deliver(1)
	l.deliver(1)
	h := &listener{ledger: l, project: -1}
	h.push([]byte(`{"push":{"channel":"project/x/instances","pub":{"data":{"id":"` + serialID(2) + `"}}}}`))
	if l.missing(0, 4) != 2 || l.doubled.Load() != 1 || l.astray.Load() != 1 || l.delivered.Load() != 2 {
		t.Errorf("%d missing, %d doubled, %d astray, %d delivered", l.missing(0, 4), l.doubled.Load(), l.astray.Load(), l.delivered.Load())
	}
	r := result{
		rows:      []row{{name: "a", cost: cost{sent: 4, lost: 2, doubled: 1, astray: 1}}, {name: "b", wrong: errors.New("b: fate"), cost: cost{sent: 1}}},
		reloads:   &reloads{cost: cost{}, goroutines: 3},
		published: 4, delivered: 2, doubled: 1, astray: 1,
	}
	want := "a: of 4 deliveries 2 were lost, 1 doubled, 1 astray\nb: fate\nthe reloads: nothing was published meanwhile\n" +
		"the reloads: 3 goroutines are left over\nall in all: 4 published, 2 delivered, 1 doubled, 1 astray"
	if got := errors.Join(r.wrong()...); got == nil || got.Error() != want {
		t.Errorf("got %v", got)
	}
}

func TestTablesArePutIntoTheirPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.md")
	begin := tablesBegin("-x")
	for _, text := range []string{"before\n" + begin + tablesEnd + "after\n", "before\n" + begin + "old\n" + tablesEnd + "after\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := writeTables(path, "-x", "new\n"); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != "before\n"+begin+"\nnew\n\n"+tablesEnd+"after\n" {
			t.Errorf("got %s", got)
		}
	}
	if err := writeTables(filepath.Join("..", "..", "README.md"), "-x", ""); err == nil || !strings.Contains(err.Error(), "has no lines") {
		t.Errorf("got %v", err)
	}
}

// serials survive the trip through a notification and the stock plugin's id.
func TestSerials(t *testing.T) {
	traffic, err := newTraffic(filepath.Join("..", ".."), 1, newLedger())
	if err != nil {
		t.Fatal(err)
	}
	for i, template := range traffic.templates {
		body := string(template.write(7))
		if !strings.Contains(body, serialID(7)) || !strings.Contains(body, project(7)) {
			t.Errorf("notification %d has lost its serial or its owner: %s", i, body)
		}
	}
	if got, ok := serialOf([]byte(`{"id":"` + serialID(123456) + `"}`)); !ok || got != 123456 {
		t.Errorf("got %d, %t", got, ok)
	}
	if _, ok := serialOf([]byte(`{"id":"6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11"}`)); ok {
		t.Error("another server's id has a serial")
	}
}
