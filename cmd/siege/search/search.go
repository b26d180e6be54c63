package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// Plan says what to search for, and how long.
type Plan struct {
	For time.Duration
	// Keep is a folder for the dearest modules' text; empty for none.
	Keep string
	// Progress gets lines for a person who waits.
	Progress io.Writer
	// Pauses returns a function that says how long the longest stop of the world
	// since was.
	Pauses func() func() time.Duration
	// oneIn leaves pieces out, for tests: one in so many is measured alone.
	oneIn int
}

// price is what a piece alone takes per unit.
type price struct {
	name string
	ns   float64
}

// found is a module and its score: nanoseconds per unit of fuel, or per call.
type found struct {
	module
	score float64
}

// island is a population of its own, out of some of the pieces.
type island struct {
	name   string
	pieces []piece
	// calls says that the score is the time of a call within the default limits.
	calls bool
	best  []found // the dearest first
	tried int
}

const (
	population = 10
	mostPieces = 10
)

// Run searches, and returns a report in Markdown.
//
// # Errors
//
// No module can be made at all: wat2wasm is missing.
func (p Plan) Run(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "search")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	b, err := newBench(dir)
	if err != nil {
		return "", err
	}
	prices, err := p.prices(ctx, b)
	if err != nil {
		return "", err
	}
	islands, began := newIslands(), time.Now()
	for i := 0; (i < len(islands) || time.Since(began) < p.For) && ctx.Err() == nil; i++ {
		if err := islands[i%len(islands)].step(b); err != nil {
			return "", err
		}
		if i%1000 == 0 {
			fmt.Fprintf(p.Progress, "%4.0fs  %d modules\n", time.Since(began).Seconds(), i)
		}
	}
	return p.report(b, prices, islands, time.Since(began))
}

// prices measures every piece alone, the dearest first.
func (p Plan) prices(ctx context.Context, b *bench) (all []price, err error) {
	for i, one := range pieces() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if p.oneIn > 0 && i%p.oneIn > 0 {
			continue
		}
		dearest := 0.0
		for seed := range uint64(4) { // those with random numbers in them, a few times
			r := rand.New(rand.NewPCG(seed, 0))
			m := new(module)
			for range 8 {
				m.add(one, r)
			}
			ns, err := b.perUnit(m, 1_000_000, 3)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", one.name, err)
			}
			dearest = max(dearest, ns)
			if again := one.text(r); again == m.texts[0] {
				break
			}
		}
		all = append(all, price{one.name, dearest})
	}
	slices.SortFunc(all, func(a, b price) int { return cmp.Compare(b.ns, a.ns) })
	fmt.Fprintf(p.Progress, "%d pieces measured\n", len(all))
	return all, nil
}

func newIslands() (all []*island) {
	computation := append(numbers(), vectors()...)
	for _, calls := range []bool{false, true} {
		all = append(all,
			&island{name: "computation", pieces: computation, calls: calls},
			&island{name: "memory, tables, jumps", pieces: machine(), calls: calls},
			&island{name: "calls of the host", pieces: append(host(), machine()...), calls: calls},
			&island{name: "everything", pieces: pieces(), calls: calls},
		)
	}
	return all
}

// step tries one module.
func (i *island) step(b *bench) error {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	m := i.offspring(r)
	i.tried++
	score, err := i.score(b, m, 1)
	if err == nil && i.places(score) {
		score, err = i.score(b, m, 3)
	}
	switch {
	case errors.Is(err, errTrap):
		return nil
	case err != nil:
		return err
	case i.places(score):
		i.best = append(i.best, found{*m, score})
		slices.SortFunc(i.best, func(a, b found) int { return cmp.Compare(b.score, a.score) })
		i.best = i.best[:min(len(i.best), population)]
	}
	return nil
}

func (i *island) score(b *bench, m *module, runs int) (float64, error) {
	if i.calls {
		took, _, err := b.call(m, runs)
		return float64(took), err
	}
	return b.perUnit(m, 1_000_000, runs)
}

// places reports whether such a score is among the best.
func (i *island) places(score float64) bool {
	return len(i.best) < population || score > i.best[len(i.best)-1].score
}

// offspring is a new module, or a good one with one piece more, less or changed.
func (i *island) offspring(r *rand.Rand) *module {
	m := new(module)
	if len(i.best) < population || r.IntN(4) == 0 {
		for range 1 + r.IntN(mostPieces) {
			m.add(i.pieces[r.IntN(len(i.pieces))], r)
		}
		return m
	}
	parent := i.best[r.IntN(len(i.best))].module
	m.names, m.texts = slices.Clone(parent.names), slices.Clone(parent.texts)
	at := r.IntN(len(m.names))
	switch change := r.IntN(4); {
	case change == 0 && len(m.names) > 1:
		m.names, m.texts = slices.Delete(m.names, at, at+1), slices.Delete(m.texts, at, at+1)
	case change == 1 && len(m.names) < mostPieces:
		m.add(i.pieces[r.IntN(len(i.pieces))], r)
	case change == 2 && len(m.names) < mostPieces: // the same once more, in front
		m.names, m.texts = slices.Insert(m.names, 0, m.names[at]), slices.Insert(m.texts, 0, m.texts[at])
	default:
		p := i.pieces[r.IntN(len(i.pieces))]
		m.names[at], m.texts[at] = p.name, p.text(r)
	}
	return m
}

// pieceNames lists what a module consists of, each once with how often.
func (m *module) pieceNames() string {
	var parts, done []string
	for _, name := range m.names {
		if slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		n := 0
		for _, other := range m.names {
			if other == name {
				n++
			}
		}
		if n > 1 {
			name = fmt.Sprintf("%d× %s", n, name)
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, "; ")
}
