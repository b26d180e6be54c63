package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed panels.toml
var panelsText string

// panel is one of Horizon's tables, as panels.toml describes it.
type panel struct {
	Name   string
	Plugin string
	// Kind is the panel message's; empty: any.
	Kind     string
	Channels []string
	// Needs are what has to be switched on in the service.
	Needs   []string
	Columns []column
	// Silent are changes that nobody announces, each with a reason.
	Silent [][2]string
}

// column is what Horizon calls it, the member of the panel message that has it,
// and a note.
type column []string

func (c column) member() string { return c[1] }

func (c column) note() string {
	if len(c) > 2 {
		return c[2]
	}
	return ""
}

// readPanels reads panels.toml.
//
// # Errors
//
// A column has neither a member nor a reason.
func readPanels() ([]panel, error) {
	var all struct{ Panel []panel }
	if err := decode("panels.toml", panelsText, &all); err != nil {
		return nil, err
	}
	for _, p := range all.Panel {
		for _, c := range p.Columns {
			if len(c) < 2 || c.member() == "" && c.note() == "" {
				return nil, fmt.Errorf("read panels.toml: %s: the column %q needs a member, or a reason why there is none", p.Name, c)
			}
		}
	}
	return all.Panel, nil
}

// message is what the page needs to know of a panel message.
type message struct {
	event, channel, action string
	// versioned: it came of nova's newer format.
	versioned bool
	members   map[string]bool
	// hint: it has no column.
	hint bool
}

// scope is the first segment of the message's channel.
func (m *message) scope() string {
	scope, _, _ := strings.Cut(m.channel, "/")
	return scope
}

// messages are those of the golden cases that the panel draws from. Quiet are the
// events of the same resources that the plugin heard and said nothing to.
func (p *panel) messages(cases []golden) (told []message, quiet []string) {
	heard, about := map[string]bool{}, map[string]bool{}
	for _, c := range cases {
		if c.plugin != p.Plugin {
			continue
		}
		mine := 0
		for _, e := range c.Emissions {
			var m struct {
				Kind, Action string
				Data         map[string]json.RawMessage
			}
			var all map[string]json.RawMessage
			if json.Unmarshal(e.Payload, &m) != nil || json.Unmarshal(e.Payload, &all) != nil {
				continue
			}
			if p.Kind != "" && m.Kind != p.Kind || !p.hears(e.Channel) {
				continue
			}
			mine++
			heard[c.event] = true
			about[first(c.event)] = true
			one := message{event: c.event, channel: e.Channel, action: m.Action, members: map[string]bool{}, hint: len(m.Data) == 0}
			one.versioned = strings.Contains(string(c.Notification), `"nova_object.data"`)
			for name := range all {
				one.members[name] = true
			}
			for name := range m.Data {
				one.members["data."+name] = true
			}
			told = append(told, one)
		}
		if mine == 0 && len(c.Emissions) == 0 {
			quiet = append(quiet, c.event)
		}
	}
	quiet = slices.DeleteFunc(quiet, func(event string) bool { return heard[event] || !about[first(event)] })
	return told, quiet
}

// first is the first segment of an event type.
func first(event string) string {
	segment, _, _ := strings.Cut(event, ".")
	return segment
}

// hears reports whether a channel is one of the panel's.
func (p *panel) hears(channel string) bool {
	scope, _, _ := strings.Cut(channel, "/")
	topic := channel[strings.LastIndexByte(channel, '/')+1:]
	for _, name := range p.Channels {
		if strings.HasPrefix(name, scope+"/") && strings.HasSuffix(name, "/"+topic) {
			return true
		}
	}
	return false
}
