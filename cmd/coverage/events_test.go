package main

import (
	"slices"
	"testing"
)

// Every event that a service announces is asked for by a plugin of a panel, which
// has a golden case of it, or is ignored for a reason, and not both.
func TestEveryEventHasACase(t *testing.T) {
	s, cases, plugins := tables(t)
	covered := map[string]bool{}
	for _, c := range cases {
		covered[c.plugin+" "+c.event] = true
	}
	status := plugins.host.Status()
	for i := range s.Service {
		for _, event := range s.Service[i].Events {
			var asked []string
			for j := range status {
				f := &status[j]
				if crossing[f.Name] || !asks(f, event) {
					continue
				}
				asked = append(asked, f.Name)
				if !covered[f.Name+" "+event] {
					t.Errorf("%s: %s has no golden case of %s", s.Service[i].Name, f.Name, event)
				}
			}
			switch reason := s.ignores(event); {
			case asked == nil && reason == "":
				t.Errorf("%s: no plugin asks for %s, and services.toml does not say why", s.Service[i].Name, event)
			case asked != nil && reason != "":
				t.Errorf("%s: services.toml ignores %s, but %s ask for it", s.Service[i].Name, event, asked)
			}
		}
	}
}

// A golden case is about something that a service announces.
func TestEveryCaseIsAnnounced(t *testing.T) {
	s, cases, _ := tables(t)
	for _, c := range cases {
		if !s.known(c.event) {
			t.Errorf("%s/%s is about %s, which services.toml does not know of", c.plugin, c.Name, c.event)
		}
	}
}

// What is ignored is announced, once, and has a reason.
func TestNothingIsIgnoredInVain(t *testing.T) {
	s, _, _ := tables(t)
	var all []string
	for _, i := range s.Ignored {
		if i.Reason == "" {
			t.Errorf("%s are ignored without a reason", i.Events)
		}
		all = append(all, i.Events...)
	}
	slices.Sort(all)
	for i, event := range all {
		if !s.known(event) {
			t.Errorf("%s is ignored, but no service announces it", event)
		}
		if i > 0 && all[i-1] == event {
			t.Errorf("%s is ignored twice", event)
		}
	}
}
