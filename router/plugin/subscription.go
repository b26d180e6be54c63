package plugin

import (
	"fmt"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/abi"
)

const (
	maxPatterns     = 64
	maxWants        = 64
	maxPatternBytes = 128
	// maxSubscriptionBytes bounds the text of one declaration.
	maxSubscriptionBytes = 32 << 10
)

// subscription is what a filter declared while it started.
type subscription struct {
	// patterns are event types, or beginnings of them followed by `*`.
	patterns []string
	// wants are the fields written into the scratch block, in this order.
	wants []event.Pointer
}

// declare adds the lines of a declaration.
func (s *subscription) declare(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if pattern, ok := strings.CutPrefix(line, abi.DeclareOn); ok {
			if err := checkPattern(pattern); err != nil {
				return err
			}
			s.patterns = append(s.patterns, pattern)
		} else if pointer, ok := strings.CutPrefix(line, abi.DeclareWant); ok {
			p, err := event.ParsePointer(pointer)
			if err != nil {
				return err
			}
			s.wants = append(s.wants, p)
		} else if line != "" {
			return fmt.Errorf("the line %.80q starts neither with %q nor with %q", line, abi.DeclareOn, abi.DeclareWant)
		}
		if len(s.patterns) > maxPatterns {
			return fmt.Errorf("more than %d event types; use patterns that end in *", maxPatterns)
		}
		if len(s.wants) > maxWants {
			return fmt.Errorf("more than %d wanted fields; read the rare ones with %s", maxWants, abi.ImportField)
		}
	}
	return nil
}

func checkPattern(p string) error {
	name := strings.TrimSuffix(p, "*")
	if len(p) == 0 || len(p) > maxPatternBytes {
		return fmt.Errorf("an event type has 1 to %d bytes, not %d", maxPatternBytes, len(p))
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '*' {
			return fmt.Errorf("bad event type %.80q: printable ASCII without spaces, a * only at the end", p)
		}
	}
	return nil
}

// matches tells whether the filter asked for the event type.
func (s *subscription) matches(eventType string) bool {
	for _, p := range s.patterns {
		if begin, wild := strings.CutSuffix(p, "*"); p == eventType || wild && strings.HasPrefix(eventType, begin) {
			return true
		}
	}
	return false
}

// equal tells whether two instances declared the same.
func (s *subscription) equal(o *subscription) bool {
	if len(s.patterns) != len(o.patterns) || len(s.wants) != len(o.wants) {
		return false
	}
	for i := range s.patterns {
		if s.patterns[i] != o.patterns[i] {
			return false
		}
	}
	for i := range s.wants {
		if s.wants[i].String() != o.wants[i].String() {
			return false
		}
	}
	return true
}

// wantNames lists the wanted fields as they were written.
func (s *subscription) wantNames() []string {
	names := make([]string, len(s.wants))
	for i, w := range s.wants {
		names[i] = w.String()
	}
	return names
}
