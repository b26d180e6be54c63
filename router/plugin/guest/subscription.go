package guest

import (
	"fmt"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

const (
	maxPatterns     = 64
	maxWants        = 64
	maxPatternBytes = 128
	// maxAsks bounds how many topics a guest may ask for, and how many grants.
	maxAsks = 64
	// maxSubscriptionBytes bounds the text of one declaration.
	maxSubscriptionBytes = 32 << 10
)

// Subscription is what a guest declared while it started.
type Subscription struct {
	// Patterns are event types, or beginnings of them followed by `*`.
	Patterns []string
	// Wants are the fields (JSON Pointers, as declared) that each call gets, in
	// the order of the scratch block.
	Wants []string
	// Topics and Grants are what the guest asks its operator for. Whether they are
	// any is not checked here.
	Topics, Grants []string
	// families are the same fields, grouped by the object that they are in.
	families []family
}

// family is the wanted fields that are in one object or array.
type family struct {
	// parent is the pointer to that object. path leads to it from the object of the
	// earlier family with the index within, or from the root if that is -1.
	parent string
	within int
	path   json.Pointer
	// fields lead on from there; places are their indices among the wants.
	fields []json.Pointer
	places []int
}

// want adds a field.
//
// # Errors
//
// Those of json.ParsePointer.
func (s *Subscription) want(pointer string) error {
	if _, err := json.ParsePointer(pointer); err != nil {
		return err
	}
	cut := max(strings.LastIndexByte(pointer, '/'), 0)
	last, err := json.ParsePointer(pointer[cut:])
	if err != nil {
		return err
	}
	f, err := s.family(pointer[:cut])
	if err != nil {
		return err
	}
	f.fields = append(f.fields, last)
	f.places = append(f.places, len(s.Wants))
	s.Wants = append(s.Wants, pointer)
	return nil
}

// family returns the family of a parent, and makes it if there is none.
func (s *Subscription) family(parent string) (*family, error) {
	within, path := -1, parent
	for i := range s.families {
		rest, ok := strings.CutPrefix(parent, s.families[i].parent)
		if ok && rest == "" {
			return &s.families[i], nil
		}
		if ok && rest[0] == '/' && len(rest) < len(path) {
			within, path = i, rest
		}
	}
	p, err := json.ParsePointer(path)
	if err != nil {
		return nil, err
	}
	s.families = append(s.families, family{parent: parent, within: within, path: p})
	return &s.families[len(s.families)-1], nil
}

// room makes space for the values found in a notification, with the families'
// objects first. Instances keep it, as making it for each call would cost more
// than a small plugin.
func (s *Subscription) room() []json.Value {
	return make([]json.Value, len(s.families)+len(s.Wants))
}

// find returns the object of f; before has those of earlier families.
func (f *family) find(n *event.Notification, before []json.Value) json.Value {
	v := n.Root()
	if f.within >= 0 {
		v = before[f.within]
	}
	return v.Get(f.path)
}

// declare adds the lines of a declaration.
func (s *Subscription) declare(text string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if pattern, ok := strings.CutPrefix(line, abi.DeclareOn); ok {
			if err := checkPattern(pattern); err != nil {
				return err
			}
			s.Patterns = append(s.Patterns, pattern)
		} else if pointer, ok := strings.CutPrefix(line, abi.DeclareWant); ok {
			if err := s.want(pointer); err != nil {
				return err
			}
		} else if topic, ok := strings.CutPrefix(line, abi.DeclareTopic); ok {
			s.Topics = append(s.Topics, topic)
		} else if grant, ok := strings.CutPrefix(line, abi.DeclareGrant); ok {
			s.Grants = append(s.Grants, grant)
		} else if line != "" {
			return fmt.Errorf("the line %.80q starts neither with %q nor with %q", line, abi.DeclareOn, abi.DeclareWant)
		}
		if len(s.Topics) > maxAsks || len(s.Grants) > maxAsks {
			return fmt.Errorf("more than %d topics or grants; ask for the topic %q", maxAsks, event.AnyTopic)
		}
		if len(s.Patterns) > maxPatterns {
			return fmt.Errorf("more than %d event types; use patterns that end in *", maxPatterns)
		}
		if len(s.Wants) > maxWants {
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

// Matches reports whether the guest asked for the event type.
func (s *Subscription) Matches(eventType string) bool {
	for _, p := range s.Patterns {
		if begin, wild := strings.CutSuffix(p, "*"); p == eventType || wild && strings.HasPrefix(eventType, begin) {
			return true
		}
	}
	return false
}
