package plugin

import (
	"fmt"
	"slices"
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
	wants []want
}

// Brief names the first of a filter's patterns, for a line that people read.
func Brief(patterns []string) string {
	const few = 4
	if len(patterns) <= few {
		return strings.Join(patterns, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(patterns[:few], " "), len(patterns)-few)
}

// want is one wanted field. Most of them stand side by side in one object, which
// is then looked up once.
type want struct {
	pointer string
	// parent leads to the object or array, last from there to the field.
	parent, last event.Pointer
	// sibling says that the parent is that of the want before.
	sibling bool
}

// want adds a field.
//
// # Errors
//
// Those of event.ParsePointer.
func (s *subscription) want(pointer string) error {
	if _, err := event.ParsePointer(pointer); err != nil {
		return err
	}
	cut := max(strings.LastIndexByte(pointer, '/'), 0)
	parent, err := event.ParsePointer(pointer[:cut])
	if err != nil {
		return err
	}
	last, err := event.ParsePointer(pointer[cut:])
	if err != nil {
		return err
	}
	w := want{pointer: pointer, parent: parent, last: last}
	if n := len(s.wants); n > 0 {
		w.sibling = s.wants[n-1].parent.String() == parent.String()
	}
	s.wants = append(s.wants, w)
	return nil
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
			if err := s.want(pointer); err != nil {
				return err
			}
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
	return slices.Equal(s.patterns, o.patterns) && slices.Equal(s.wantNames(), o.wantNames())
}

// wantNames lists the wanted fields as they were written.
func (s *subscription) wantNames() []string {
	names := make([]string, len(s.wants))
	for i, w := range s.wants {
		names[i] = w.pointer
	}
	return names
}
