package search

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every piece is a valid one, and does not end by itself.
func TestPieces(t *testing.T) {
	b, err := newBench(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for some := range slices.Chunk(pieces(), 25) {
		m, r := new(module), rand.New(rand.NewPCG(1, 0))
		for _, p := range some {
			m.add(p, r)
			if seen[p.name] {
				t.Errorf("two pieces are called %s", p.name)
			}
			seen[p.name] = true
		}
		if ns, err := b.perUnit(m, 4_000_000, 1); err != nil || ns <= 0 {
			t.Errorf("%q: %v, %v", m.names, ns, err)
		}
	}
}

// A search in brief.
func TestSearch(t *testing.T) {
	keep := t.TempDir()
	began := false
	p := Plan{
		For: time.Second, Keep: keep, Progress: io.Discard, oneIn: 40,
		Pauses: func() func() time.Duration {
			began = true
			return func() time.Duration { return 123 * time.Millisecond }
		},
	}
	report, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" modules of them in ", "| computation, per unit | ", " | 123.0 ms |\n", "| the dearest pieces alone | ns per unit |", "| 1.0× |"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(keep, "found-*.wat")); len(kept) == 0 || !began {
		t.Errorf("kept %d modules, pauses measured: %t", len(kept), began)
	} else if text, _ := os.ReadFile(kept[0]); !strings.Contains(string(text), "(loop $work") {
		t.Errorf("kept %s", text)
	}
}

// A module gets better by one piece at a time.
func TestOffspring(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	i := island{pieces: numbers()}
	for range population {
		m := new(module)
		m.add(i.pieces[0], r)
		i.best = append(i.best, found{*m, 1})
	}
	changed := 0
	for range 200 {
		switch m := i.offspring(r); {
		case len(m.names) != len(m.texts) || len(m.names) == 0 || len(m.names) > mostPieces:
			t.Fatalf("%d names, %d texts", len(m.names), len(m.texts))
		case m.names[0] != i.pieces[0].name:
			changed++
		}
	}
	if changed < 50 {
		t.Errorf("only %d of 200 have changed", changed)
	}
	if i.places(1) || !i.places(2) {
		t.Error("only what is dearer than the last takes a place")
	}
	names := module{names: []string{"a", "b", "a"}}
	if got := names.pieceNames(); got != "2× a; b" {
		t.Errorf("got %s", got)
	}
}
