package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// ownerMembers are where services write whose a resource is, by the kind of
// channel that follows from it. What is under actors says who acted.
var (
	ownerMembers = map[string]string{
		"tenant_id": "project", "project_id": "project", "owner": "project", "owner_id": "project", "on_behalf_of": "project", "user_id": "user",
	}
	actors = map[string]bool{"initiator": true, "observer": true}
)

// secretMembers are for admins only, whatever service writes them: they name the
// cloud's machines, networks and drivers, or show a program's inside.
var secretMembers = []string{
	"host", "node", "cell_name", "cell", "hypervisor_hostname", "hypervisor", "instance_host", "host_ip",
	"source_compute", "source_node", "source_host", "dest_compute", "dest_node", "dest_host",
	"OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname", "OS-EXT-SRV-ATTR:instance_name",
	"os-vol-host-attr:host", "attached_host", "connection_info", "connector", "replication_driver_data", "service_metadata", "provider_location",
	"binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type",
	"provider:network_type", "provider:physical_network", "provider:segmentation_id",
	"distributed", "ha", "driver_info", "instance_info", "traceback", "function_name", "module_name",
}

// canary is what every secret member holds in a mutated message.
const canary = "canary-0b7e"

// hostile are owners that no service has, and that mean something to somebody.
var hostile = []string{
	"victim/instances", "victim/*", "*", "../victim", "admin/audit", "victim\n", "\x00", "ｖictim", "victim.", "null",
	strings.Repeat("v", 65), strings.Repeat("☃", 200),
}

// mutation is one way to write a message otherwise.
type mutation struct {
	name string
	// owner gives what stands in place of an owner; keep leaves it, drop removes
	// its member.
	owner func(member string, old any) any
	// wrap puts the whole payload into something.
	wrap func(payload any) any
	// resource goes before the resource's id.
	resource string
	// event gives another event type.
	event func() string
	// only is the one owner that may be told, nobody if it is empty; any
	// leaves that to the message.
	only, any string
}

type (
	keep struct{}
	drop struct{}
)

const anybody = "anybody"

func mutations(s *services) (all []mutation) {
	as := func(v any) func(string, any) any { return func(string, any) any { return v } }
	all = []mutation{
		{name: "as it is", owner: as(keep{}), any: anybody},
		{name: "somebody else's", owner: as("other"), only: "other"},
		{name: "nobody's", owner: as(drop{})},
		{name: "of null", owner: as(nil)},
		{name: "of a number", owner: as(7)},
		{name: "of true", owner: as(true)},
		{name: "of an empty string", owner: as("")},
		{name: "of a list", owner: func(_ string, old any) any { return []any{old} }},
		{name: "of an object", owner: func(_ string, old any) any { return map[string]any{"id": old, "nova_object.data": old} }},
		{name: "of two projects", owner: func(member string, _ any) any { return "from-" + strings.ReplaceAll(member, "_", "-") }, any: anybody},
		{name: "in a list", owner: as(keep{}), wrap: func(p any) any { return []any{p} }},
		{name: "one deeper", owner: as(keep{}), wrap: func(p any) any { return map[string]any{"payload": p} }},
		{name: "in a versioned object", owner: as(keep{}), wrap: func(p any) any { return map[string]any{"nova_object.data": p} }, any: anybody},
		{name: "as a text", owner: as(keep{}), wrap: func(p any) any { text, _ := json.Marshal(p); return string(text) }},
		{name: "missing", owner: as(keep{}), wrap: func(any) any { return nil }},
	}
	var events []string
	for _, service := range s.Service {
		events = append(events, service.Events...)
	}
	next := 0
	for _, stride := range []int{7, 101, 353} { // one event's payload under another's name
		all = append(all, mutation{name: fmt.Sprint("renamed by ", stride), owner: as(keep{}), any: anybody, event: func() string {
			next = (next + stride) % len(events)
			return events[next]
		}})
	}
	for _, id := range []string{"victim/*", "\n\x00", strings.Repeat("☃", 200)} {
		all = append(all, mutation{name: fmt.Sprintf("called %.20q", id), owner: as(keep{}), resource: id, any: anybody})
	}
	for _, id := range hostile {
		all = append(all, mutation{name: fmt.Sprintf("of %.20q", id), owner: as(id), only: id})
	}
	return all
}

// apply makes the mutated message. Whoever acted is a stranger in all of them, and
// every secret is the canary, also in resources that had none.
func (m mutation) apply(t *testing.T, message []byte, fresh string) []byte {
	t.Helper()
	var inner map[string]any
	if err := json.Unmarshal(message, &inner); err != nil {
		t.Fatal(err)
	}
	if text, ok := inner["oslo.message"].(string); ok {
		return m.apply(t, []byte(text), fresh)
	}
	for name := range inner {
		if strings.HasPrefix(name, "_context_") {
			inner[name] = "actor"
		}
	}
	inner["message_id"], inner["_context_request_id"] = fresh, "req-"+fresh
	if m.event != nil {
		inner["event_type"] = m.event()
	}
	inner["payload"] = m.walk(inner["payload"], 0)
	if m.wrap != nil {
		inner["payload"] = m.wrap(inner["payload"])
	}
	text, err := json.Marshal(inner)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (m mutation) walk(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch {
			case actors[name]:
				v[name] = map[string]any{"id": "actor", "user_id": "actor", "project_id": "actor", "host": canary}
			case ownerMembers[name] != "":
				switch to := m.owner(name, member).(type) {
				case keep:
				case drop:
					delete(v, name)
				default:
					v[name] = to
				}
			default:
				below := depth + 1
				if strings.HasSuffix(name, "_object.data") {
					below = 0
				}
				v[name] = m.walk(member, below)
			}
		}
		_, named := v["id"]
		resource := depth == 0 || depth == 1 && named
		for _, name := range secretMembers {
			if _, has := v[name]; has || resource {
				v[name] = canary
			}
		}
		return v
	case []any:
		for i := range v {
			v[i] = m.walk(v[i], depth+1)
		}
	}
	return v
}
