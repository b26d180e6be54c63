package oslo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
)

// parts decodes a body and what it is split into, and gives each part's owner and ports.
func parts(t *testing.T, body string) []string {
	t.Helper()
	d := NewDecoder(DefaultConfig())
	var whole event.Notification
	if err := d.Decode(&whole, []byte(body), ""); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, text := range Split(&whole) {
		var n event.Notification
		if err := d.Decode(&n, text, ""); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if n.MessageID != whole.MessageID || n.Type != whole.Type || n.AtText != whole.AtText || Split(&n) != nil {
			t.Errorf("a part is %s", text)
		}
		ids := ""
		for each := range n.Root().Member("payload").Member("ports").Elements() {
			ids += each.Member("id").Text()
		}
		list = append(list, n.Project+": "+ids)
	}
	return list
}

func TestSplit(t *testing.T) {
	port := func(id, project string) string { return fmt.Sprintf(`{"id":"%s","project_id":"%s"}`, id, project) }
	bulk := func(ports ...string) string { return `{"ports": [` + strings.Join(ports, ", ") + `]}` }
	const created = "port.create.end"
	for name, c := range map[string]struct {
		eventType, payload string
		want               []string
	}{
		"two projects":           {created, bulk(port("a", "p"), port("b", "q"), port("c", "p")), []string{"p: ac", "q: b"}},
		"one project":            {created, bulk(port("a", "p"), port("b", "p")), nil},
		"one port":               {created, bulk(port("a", "p")), nil},
		"none":                   {created, bulk(), nil},
		"one without an owner":   {created, bulk(port("a", "p"), `{"id":"b"}`), []string{"p: a", ": b"}},
		"all without an owner":   {created, bulk(`{"id":"a"}`, port("b", "no/project")), nil},
		"one that contradicts":   {created, bulk(`{"id":"a","project_id":"p","tenant_id":"q"}`, port("b", "p")), []string{": a", "p: b"}},
		"what is no port":        {created, bulk(port("a", "p"), `"q"`, `null`), []string{"p: a", ": "}},
		"a secret among them":    {created, bulk(port("a", "p"), `"gAAAAA`+strings.Repeat("x", 60)+`"`, port("b", "q")), []string{"p: a", "q: b"}},
		"before the policy":      {"port.create.start", bulk(port("a", "p"), port("b", "q")), nil},
		"a port beside the list": {created, `{"port": {"id": "x"}, "ports": [` + port("a", "p") + "," + port("b", "q") + `]}`, nil},
		"no list":                {created, `{"ports": {"id": "x"}}`, nil},
		"another resource":       {"network.create.end", bulk(port("a", "p"), port("b", "q")), nil},
		"another service":        {"compute.instance.update", bulk(port("a", "p"), port("b", "q")), nil},
		"the same text in front": {created, `{"x": [{"id":"a","project_id":"p"},{"id":"b","project_id":"q"}], "ports": [{"id":"a","project_id":"p"},{"id":"b","project_id":"q"}]}`,
			[]string{"p: a", "q: b"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"message_id":"m","timestamp":"2026-11-23 10:00:00","event_type":"` + c.eventType + `","payload":` + c.payload + `}`
			if diff := cmp.Diff(c.want, parts(t, body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is not in a list is in each part, so there is a bound on their number and size.
func TestSplitIsBounded(t *testing.T) {
	var ports []string
	for i := range maxParts {
		ports = append(ports, fmt.Sprintf(`{"project_id":"p%d"}`, i))
	}
	body := func(more string, ports ...string) string {
		return `{"event_type":"port.create.end","timestamp":"2026-11-23 10:00:00","payload":{"x":"` + more + `","ports":[` + strings.Join(ports, ",") + `]}}`
	}
	if got := len(parts(t, body("", ports...))); got != maxParts {
		t.Errorf("%d parts", got)
	}
	if got := len(parts(t, body("", append(ports, `{"project_id":"q"}`)...))); got != 0 {
		t.Errorf("%d parts, over the bound", got)
	}
	if got := len(parts(t, body(strings.Repeat("x", DefaultMaxBodyBytes/maxParts), ports...))); got != 0 {
		t.Errorf("%d parts of some size", got)
	}
}
