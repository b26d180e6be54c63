package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed services.toml
var servicesText string

// services is services.toml.
type services struct {
	Service []service
	Ignored []ignored
}

// service is what one service announces.
type service struct {
	Name string
	// Source is the place in the service's own code that says so.
	Source string
	Events []string
}

// ignored are events that no plugin of a panel asks for, and why.
type ignored struct {
	Events []string
	Reason string
	// Written is Events as services.toml spells them.
	Written []string `toml:"-"`
}

// readServices reads services.toml, with every {a,b} spelled out.
func readServices() (*services, error) {
	var s services
	if err := decode("services.toml", servicesText, &s); err != nil {
		return nil, err
	}
	for i := range s.Service {
		s.Service[i].Events = expandAll(s.Service[i].Events)
	}
	for i := range s.Ignored {
		s.Ignored[i].Written = s.Ignored[i].Events
		s.Ignored[i].Events = expandAll(s.Ignored[i].Events)
	}
	return &s, nil
}

// decode reads TOML in which every key must be known.
func decode(name, text string, into any) error {
	meta, err := toml.Decode(text, into)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("read %s: unknown key %s", name, unknown[0])
	}
	return nil
}

func expandAll(patterns []string) (all []string) {
	for _, p := range patterns {
		all = append(all, expand(p)...)
	}
	return all
}

// expand spells {a,b} out, as a shell does.
func expand(pattern string) (all []string) {
	before, rest, open := strings.Cut(pattern, "{")
	if !open {
		return []string{pattern}
	}
	choices, after, _ := strings.Cut(rest, "}")
	for _, choice := range strings.Split(choices, ",") {
		all = append(all, expand(before+choice+after)...)
	}
	return all
}

// known reports whether any service announces the event.
func (s *services) known(event string) bool {
	for i := range s.Service {
		for _, e := range s.Service[i].Events {
			if e == event {
				return true
			}
		}
	}
	return false
}

// ignores returns why no plugin of a panel asks for the event; empty if one has to.
func (s *services) ignores(event string) string {
	for i := range s.Ignored {
		for _, e := range s.Ignored[i].Events {
			if e == event {
				return s.Ignored[i].Reason
			}
		}
	}
	return ""
}
