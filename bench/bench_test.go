package main

import (
	"flag"
	"os"
	"slices"
	"testing"
)

// The servers under test are this program started again, which here is the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		main()
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// TestRowsRun takes those rows once that need neither RabbitMQ nor the built
// program. Figures of so short a run mean nothing, but that there are some.
func TestRowsRun(t *testing.T) {
	quick = true
	results, err := measure(func(name string) bool {
		return slices.Contains([]string{"sandbox", "fuel", "loaded", "fan-out", "channels", "idle"}, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 15 {
		t.Errorf("only %d rows", len(results))
	}
	for _, r := range results {
		if r.Name == "" || r.Unit == "" || r.PeerName == "" || r.Ours <= 0 || r.Peer <= 0 || r.Ratio <= 0 {
			t.Errorf("%+v", r)
		}
	}
}
