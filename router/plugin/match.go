package plugin

import "strings"

// maxMatches bounds the event types that a worker keeps the answer for. A cloud
// has some hundreds.
const maxMatches = 4096

// matcher remembers which filters of a set asked for an event type. It belongs
// to one worker, so it needs no lock, and is empty again with each new set.
type matcher struct {
	filters []*filter
	known   map[string][]int
}

func newMatcher(filters []*filter) matcher {
	return matcher{filters: filters, known: make(map[string][]int)}
}

// match tells the positions of the filters that asked for the event type, in
// file-name order. It allocates only at a type's first sight.
func (m *matcher) match(eventType string) []int {
	if found, ok := m.known[eventType]; ok {
		return found
	}
	var found []int
	for i, f := range m.filters {
		if f.sub.matches(eventType) {
			found = append(found, i)
		}
	}
	if len(m.known) == maxMatches {
		clear(m.known)
	}
	m.known[strings.Clone(eventType)] = found
	return found
}
