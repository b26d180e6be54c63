package search

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// dearPieces is how many pieces the report lists.
const dearPieces = 25

// report measures the best of each island once more, and puts all into tables.
func (p Plan) report(b *bench, prices []price, islands []*island, took time.Duration) (string, error) {
	tried := 0
	for _, i := range islands {
		tried += i.tried
	}
	var t strings.Builder
	median := prices[len(prices)/2].ns
	fmt.Fprintf(&t, "%d pieces of code and %d modules of them in %.0f minutes. A unit of fuel takes %.2f ns in the median of the pieces.\n\n", len(prices), tried, took.Minutes(), median)
	t.WriteString("| searched among | dearest module | per unit | a call | a start | pause |\n|---|---|--:|--:|--:|--:|\n")
	for n, i := range islands {
		// What ends by itself if it is given more fuel than in the search takes no time.
		for _, one := range i.best {
			line, err := p.line(b, i, &one.module)
			if errors.Is(err, errTrap) {
				continue
			}
			if err != nil {
				return "", err
			}
			t.WriteString(line)
			if p.Keep != "" {
				if err := os.WriteFile(filepath.Join(p.Keep, fmt.Sprintf("found-%d.wat", n)), []byte(one.module.wat(false)), 0o644); err != nil {
					return "", err
				}
			}
			break
		}
	}
	t.WriteString("\n| the dearest pieces alone | ns per unit | of the median |\n|---|--:|--:|\n")
	for _, one := range prices[:min(dearPieces, len(prices))] {
		fmt.Fprintf(&t, "| %s | %.2f | %.1f× |\n", one.name, one.ns, one.ns/median)
	}
	return t.String(), nil
}

// line is the report's about a module of an island.
func (p Plan) line(b *bench, i *island, m *module) (string, error) {
	perUnit, err := b.perUnit(m, 4_000_000, 3)
	if err != nil {
		return "", err
	}
	call, _, err := b.call(m, 5)
	if err != nil {
		return "", err
	}
	s, err := b.stops(m, time.Second, p.Pauses)
	if err != nil {
		return "", err
	}
	what := i.name + ", per unit"
	if i.calls {
		what = i.name + ", per call"
	}
	return fmt.Sprintf("| %s | %s | %.1f ns | %.1f ms | %.0f ms | %.1f ms |\n", what, m.pieceNames(), perUnit, milliseconds(call), milliseconds(s.start), milliseconds(s.pause)), nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
