package plugin

import (
	"strings"
	"sync"
	"time"
)

const (
	// freeUnits is what each call may emit without being charged for it: most
	// plugins never need more, so nothing of theirs is lost when the router works
	// off what has piled up.
	freeUnits = 4
	// unitBytes is how much payload counts as one emission.
	unitBytes = 4 << 10
)

// units is what an emission counts for.
func units(payload []byte) int { return 1 + len(payload)/unitBytes }

// emissionBudget bounds what a plugin emits beyond the free units, so that one
// that says much within its limits leaves room for others' deliveries. It is safe
// for concurrent use.
type emissionBudget struct {
	perSecond, perProject int

	mu     sync.Mutex
	second int64
	used   int
	// usedFor is by project; each has used at least one unit in this second, so
	// there are at most perSecond of them.
	usedFor map[string]int
}

func newEmissionBudget(perSecond, perProject int) *emissionBudget {
	return &emissionBudget{perSecond: perSecond, perProject: perProject, usedFor: make(map[string]int)}
}

// take uses so many units of this second, if there are that many left.
func (b *emissionBudget) take(n int, project string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if second := now.Unix(); second != b.second {
		b.second, b.used = second, 0
		clear(b.usedFor)
	}
	its := b.usedFor[project]
	if b.used+n > b.perSecond || its+n > b.perProject {
		return false
	}
	b.used += n
	b.usedFor[strings.Clone(project)] = its + n
	return true
}
