package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"horizon-realtime/router/plugin"
)

// page is what docs/coverage.md is made of.
type page struct {
	services *services
	panels   []panel
	cases    []golden
	filters  []plugin.Status
	b        bytes.Buffer
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// write makes the page.
//
// # Errors
//
// A panel names a column that no golden case has, or a filter that is not there.
func (p *page) write() ([]byte, error) {
	p.line("# What comes live\n")
	p.line("<!-- Made by `go run ./cmd/coverage > docs/coverage.md`, from the filters' golden cases and what they ask for. Do not edit. -->\n")
	p.line("Of each Horizon table: which notifications move its rows, which columns they fill in, and what no service announces. A page keeps a")
	p.line("slow reload for the last. A message is drawn from directly, or taken as a hint to ask Horizon for the row; what it does not carry stays")
	p.line("as it was on the page. \"In part\" means that some of the messages carry the column.\n")
	p.line("| table | channels | rows come and go | columns live |")
	p.line("|---|---|---|---|")
	for i := range p.panels {
		p.summary(&p.panels[i])
	}
	for i := range p.panels {
		if err := p.panel(&p.panels[i]); err != nil {
			return nil, err
		}
	}
	p.others()
	p.ignored()
	return p.b.Bytes(), nil
}

// summary is a panel's line of the first table.
func (p *page) summary(panel *panel) {
	told, _ := panel.messages(p.cases)
	does := map[string]bool{}
	for _, m := range told {
		does[m.action] = true
	}
	rows := "no"
	switch {
	case does["create"] && does["delete"]:
		rows = "yes"
	case does["create"]:
		rows = "they come"
	case does["delete"]:
		rows = "they go"
	}
	live := 0
	for _, c := range panel.Columns {
		if c.member() != "" {
			live++
		}
	}
	columns := fmt.Sprintf("%d of %d", live, len(panel.Columns))
	if live == 0 {
		columns = "the page asks"
	}
	p.line("| [%s](#%s) | %s | %s | %s |", panel.Name, anchor(panel.Name), code(panel.Channels), rows, columns)
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

func (p *page) panel(panel *panel) error {
	if !slices.ContainsFunc(p.filters, func(f plugin.Status) bool { return f.Name == panel.Filter }) {
		return fmt.Errorf("panels.toml: %s: there is no filter %q", panel.Name, panel.Filter)
	}
	told, quiet := panel.messages(p.cases)
	if len(told) == 0 {
		return fmt.Errorf("panels.toml: %s: no golden case of %s tells %s anything", panel.Name, panel.Filter, panel.Channels)
	}
	p.line("\n## %s\n", panel.Name)
	p.line("Filter `%s`, to %s.", panel.Filter, code(panel.Channels))
	for _, need := range panel.Needs {
		p.line("\nNeeds %s", need)
	}
	p.line("\n| column | comes live | |")
	p.line("|---|---|---|")
	for _, c := range panel.Columns {
		live, err := liveness(panel, c, told)
		if err != nil {
			return err
		}
		p.line("| %s | %s | %s |", c[0], live, c.note())
	}
	p.line("")
	for _, did := range []struct{ action, says string }{
		{"create", "A row comes with"}, {"update", "It changes with"}, {"delete", "It goes with"},
	} {
		var events []string
		for _, m := range told {
			if m.action == did.action {
				events = append(events, m.event)
			}
		}
		if events != nil {
			p.line("- %s %s.", did.says, code(fold(events)))
		}
	}
	if len(quiet) > 0 {
		p.line("- Heard and left alone, because the row stays as it is or another message knows better: %s.", code(fold(quiet)))
	}
	for i, s := range panel.Silent {
		if i == 0 {
			p.line("\nNot announced:\n")
		}
		p.line("- %s: %s.", s[0], s[1])
	}
	return nil
}

// liveness says whether messages carry a column. Hints and removals count for
// nothing; nor do tenants' messages, where only admins are told.
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

// others are the filters that have no table.
func (p *page) others() {
	p.line("\n## Filters without a table\n")
	p.line("| filter | channels | hears |")
	p.line("|---|---|---|")
	for _, f := range p.filters {
		if !crossing[f.Name] {
			continue
		}
		var channels []string
		for _, c := range p.cases {
			for _, e := range c.Emissions {
				if c.filter == f.Name {
					channels = append(channels, general(e.Channel))
				}
			}
		}
		p.line("| %s | %s | %s |", f.Name, code(unique(channels)), code(fold(f.On)))
	}
}

// general is a channel without the id in it.
func general(channel string) string {
	parts := strings.Split(channel, "/")
	if len(parts) == 3 {
		parts[1] = "<" + parts[0] + ">"
	}
	return strings.Join(parts, "/")
}

// ignored are the events that no table needs.
func (p *page) ignored() {
	p.line("\n## Announced, and no table is told\n")
	p.line("| events | because |")
	p.line("|---|---|")
	for _, i := range p.services.Ignored {
		p.line("| %s | %s |", code(i.written), i.Reason)
	}
	p.line("\nWhat the services announce was read in their sources:\n")
	for _, s := range p.services.Service {
		p.line("- %s: %d events, %s", s.Name, len(s.Events), s.Source)
	}
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
