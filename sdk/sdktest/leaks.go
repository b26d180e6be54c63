package sdktest

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

// adminOnly are members whose values a tenant must never see, by the names that
// services give them. They name the cloud's machines.
var adminOnly = map[string]bool{
	"host": true, "node": true, "cell_name": true, "source_compute": true, "source_node": true,
	"dest_compute": true, "dest_node": true, "dest_host": true, "hypervisor_hostname": true,
	"host_ip": true, "binding:host_id": true, "driver_info": true, "os-vol-host-attr:host": true,
}

// NeverLeaks sends the plugin every golden notification in the folders that the
// patterns name (those of other plugins too), owned by those the case says, by
// others, and by nobody. Whatever the plugin makes of them, it emits to no
// project and no user but the owner, and tells a tenant no machine's name.
func NeverLeaks(t *testing.T, patterns ...string) {
	f := Start(t, "")
	sent := 0
	for _, pattern := range patterns {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			cases, err := Cases(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				machines := secrets(c.Notification, nil)
				for _, owner := range [][2]string{{c.Project, c.User}, {"another-project", "another-user"}, {}} {
					a := f.Send(Notification{c.Notification, owner[0], owner[1]})
					sent++
					for _, e := range a.Emissions {
						if err := e.CheckOwner(owner[0], owner[1]); err != nil {
							t.Errorf("%s/%s: %v", dir, c.Name, err)
						}
						e.checkMachines(t, dir+"/"+c.Name, machines)
					}
				}
			}
		}
	}
	if sent == 0 {
		t.Errorf("no golden cases in %q", patterns)
	}
}

func (e Emission) checkMachines(t *testing.T, name string, machines map[string]bool) {
	if bytes.HasPrefix([]byte(e.Channel), []byte("admin/")) {
		return
	}
	for text := range stringsIn(e.Payload, nil) {
		if machines[text] {
			t.Errorf("%s: %s is told %q, which names a machine", name, e.Channel, text)
		}
	}
}

// secrets gathers the values of the members that are for admins only.
func secrets(text json.RawMessage, found map[string]bool) map[string]bool {
	if found == nil {
		found = make(map[string]bool)
	}
	var members map[string]json.RawMessage
	var elements []json.RawMessage
	switch {
	case json.Unmarshal(text, &members) == nil:
		for name, value := range members {
			if adminOnly[name] {
				found = stringsIn(value, found)
			} else {
				secrets(value, found)
			}
		}
	case json.Unmarshal(text, &elements) == nil:
		for _, element := range elements {
			secrets(element, found)
		}
	}
	return found
}

// stringsIn gathers all strings of a JSON text, but the empty one.
func stringsIn(text json.RawMessage, found map[string]bool) map[string]bool {
	if found == nil {
		found = make(map[string]bool)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return found
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if v != "" {
				found[v] = true
			}
		case map[string]any:
			for _, each := range v {
				walk(each)
			}
		case []any:
			for _, each := range v {
				walk(each)
			}
		}
	}
	walk(value)
	return found
}
