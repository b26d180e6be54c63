package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"horizon-realtime/router/plugin"
)

//go:embed page.md.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").
	Funcs(template.FuncMap{"anchor": anchor, "code": code, "fold": fold}).Parse(pageText))

// page is what docs/coverage.md is made of.
type page struct {
	Panels   []section
	Others   []other
	Ignored  []ignored
	Services []service
}

// section is what the page says about a panel.
type section struct {
	*panel
	// Rows says whether rows come and go, Live how many columns messages carry.
	Rows, Live string
	Columns    []liveColumn
	told       []message
	// Quiet are the events that change nothing.
	Quiet []string
}

// liveColumn is a line of a panel's table.
type liveColumn struct{ Name, Live, Note string }

// other is a plugin without a table.
type other struct {
	Name         string
	Channels, On []string
}

// write makes the page.
//
// # Errors
//
// A panel names a column that no golden case has, or a plugin that does not
// exist.
func write(s *services, panels []panel, cases []golden, running []plugin.Status) ([]byte, error) {
	p := page{Ignored: s.Ignored, Services: s.Service, Others: others(cases, running)}
	for i := range panels {
		if !slices.ContainsFunc(running, func(f plugin.Status) bool { return f.Name == panels[i].Plugin }) {
			return nil, fmt.Errorf("panels.toml: %s: there is no plugin %q", panels[i].Name, panels[i].Plugin)
		}
		one, err := sectionOf(&panels[i], cases)
		if err != nil {
			return nil, err
		}
		p.Panels = append(p.Panels, one)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

func sectionOf(panel *panel, cases []golden) (section, error) {
	s := section{panel: panel}
	if s.told, s.Quiet = panel.messages(cases); len(s.told) == 0 {
		return s, fmt.Errorf("panels.toml: %s: no golden case of %s publishes to %s", panel.Name, panel.Plugin, panel.Channels)
	}
	live := 0
	for _, c := range panel.Columns {
		if c.member() != "" {
			live++
		}
		says, err := liveness(panel, c, s.told)
		if err != nil {
			return s, err
		}
		s.Columns = append(s.Columns, liveColumn{c[0], says, c.note()})
	}
	s.Live = fmt.Sprintf("%d of %d", live, len(panel.Columns))
	if live == 0 {
		s.Live = "the page asks"
	}
	switch come, go_ := s.On("create") != "", s.On("delete") != ""; {
	case come && go_:
		s.Rows = "yes"
	case come:
		s.Rows = "they come"
	case go_:
		s.Rows = "they go"
	default:
		s.Rows = "no"
	}
	return s, nil
}

// On names the events that make the panel's rows do something, empty if none
// does.
func (s *section) On(action string) string {
	var events []string
	for _, m := range s.told {
		if m.action == action {
			events = append(events, m.event)
		}
	}
	if events == nil {
		return ""
	}
	return code(fold(events))
}

// liveness says whether messages carry a column. Hints and removals do not count,
// nor do tenants' messages if only admins get the column.
//
// # Errors
//
// No golden case has it.
func liveness(panel *panel, c column, told []message) (string, error) {
	if c.member() == "" {
		return "no", nil
	}
	scopes := map[string]bool{}
	for _, m := range told {
		if m.members[c.member()] {
			scopes[m.scope()] = true
		}
	}
	if len(scopes) == 0 {
		return "", fmt.Errorf("panels.toml: %s: no golden case has %s, which the column %s is from", panel.Name, c.member(), c[0])
	}
	var has, of [2]int // by nova's format
	for _, m := range told {
		if m.action == "delete" || m.hint || !scopes[m.scope()] {
			continue
		}
		format := 0
		if m.versioned {
			format = 1
		}
		of[format]++
		if m.members[c.member()] {
			has[format]++
		}
	}
	live := "`" + c.member() + "`"
	switch {
	case of[0] > 0 && of[1] > 0 && has[0] == 0:
		live += ", versioned format only"
	case of[0] > 0 && of[1] > 0 && has[1] == 0:
		live += ", legacy format only"
	}
	if has[0] > 0 && has[0] < of[0] || has[1] > 0 && has[1] < of[1] {
		live += ", in part"
	}
	return live, nil
}

// others are the plugins that have no table.
func others(cases []golden, running []plugin.Status) (all []other) {
	for i := range running {
		if !crossing[running[i].Name] {
			continue
		}
		o := other{Name: running[i].Name, On: running[i].On}
		for _, c := range cases {
			for _, e := range c.Emissions {
				if c.plugin == o.Name {
					o.Channels = append(o.Channels, general(e.Channel))
				}
			}
		}
		o.Channels = unique(o.Channels)
		all = append(all, o)
	}
	return all
}

// general is a channel without the id in it.
func general(channel string) string {
	parts := strings.Split(channel, "/")
	if len(parts) == 3 {
		parts[1] = "<" + parts[0] + ">"
	}
	return strings.Join(parts, "/")
}

// anchor is how a heading is linked to.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code spells names as code.
func code(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// fold joins names that differ in their last segment, and then what differs in
// the one before: a.{b,c}.{end,start}.
func fold(names []string) []string {
	ends := map[string][]string{} // by what is before
	for _, name := range unique(slices.Clone(names)) {
		before, end := cutLast(name)
		ends[before] = append(ends[before], end)
	}
	middles := map[[2]string][]string{} // by what is before and after
	for before, list := range ends {
		parent, middle := cutLast(strings.TrimSuffix(before, "."))
		key := [2]string{parent, braces(list)}
		middles[key] = append(middles[key], middle)
	}
	var folded []string
	for key, list := range middles {
		slices.Sort(list)
		if list[0] == "" { // a name without a point
			folded = append(folded, key[1])
			continue
		}
		folded = append(folded, key[0]+braces(list)+"."+key[1])
	}
	slices.Sort(folded)
	return folded
}

func braces(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return "{" + strings.Join(list, ",") + "}"
}

// cutLast splits after the last point.
func cutLast(name string) (before, end string) {
	i := strings.LastIndexByte(name, '.') + 1
	return name[:i], name[i:]
}
