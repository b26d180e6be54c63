package plugin

import "strings"

// maxMatches bounds the event types whose plugins a runner remembers. A cloud has
// some hundreds.
const maxMatches = 4096

// matcher remembers which plugins of a set asked for an event type. It belongs
// to one runner, so it needs no lock, and is empty again with each new set.
type matcher struct {
	versions []*version
	known    map[string][]int
}

func newMatcher(versions []*version) matcher {
	return matcher{versions: versions, known: make(map[string][]int)}
}

// match returns the positions of the versions that asked for the event type, in
// file-name order. It allocates only for a type that it has not seen.
func (m *matcher) match(eventType string) []int {
	if found, ok := m.known[eventType]; ok {
		return found
	}
	var found []int
	for i, v := range m.versions {
		if v.sub.Matches(eventType) {
			found = append(found, i)
		}
	}
	if len(m.known) == maxMatches {
		clear(m.known)
	}
	m.known[strings.Clone(eventType)] = found
	return found
}
