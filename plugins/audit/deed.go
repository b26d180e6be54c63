package audit

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// deed is what an event type says was done.
type deed struct {
	// kind is what it was done to, by the service's own name.
	kind, action string
	// phase is `end`, `error`, `success`, or nothing for services that tell
	// each action once.
	phase string
	// nova is set if nova has two formats for it.
	nova bool
}

// read takes an event type apart, and reports whether it is an action's end: what
// begins, what is going on, and what merely is, are not told.
func read(event string) (did deed, told bool) {
	kind, action, ok := strings.Cut(event, ".")
	switch kind {
	case "compute", "orchestration", "octavia", "magnum", "baremetal", "dns", "identity":
		if kind == "dns" && strings.HasPrefix(action, "domain.") { // designate's second name for a zone
			return deed{}, false
		}
		event = action
		kind, action, ok = strings.Cut(event, ".")
	}
	if event == "authenticate" {
		return deed{kind: "user", action: event}, true
	}
	if !ok {
		return deed{}, false
	}
	did = deed{kind: kind, action: action}
	if i := strings.LastIndexByte(action, '.'); i >= 0 {
		switch phase := action[i+1:]; phase {
		case "start", "end", "error", "success", "progress":
			did.action, did.phase = action[:i], phase
		}
	}
	switch kind {
	case "instance", "keypair", "aggregate", "server_group":
		did.nova = true
	case "servergroup":
		did.kind, did.nova = "server_group", true
	case "compute_task": // the conductor's, which failed if anything
		did.kind, did.nova = "instance", true
		return did, true
	case "scheduler", "metrics":
		return did, did.phase == "error"
	}
	switch did.action {
	case "created", "updated", "deleted": // keystone's
		did.action = did.action[:len(did.action)-1]
	case "exists", "usage", "prepare": // audits of what is, and glance's announcement of an upload
		return did, false
	case "update":
		// nova's update is a change of state, within an action or after it.
		return did, kind != "instance" && did.phase != "start"
	}
	return did, did.phase != "start" && did.phase != "progress"
}

// request reads what keystonemiddleware tells of a request to an API that would
// change something: service/compute/servers and create, say. Which one it was, only
// the service itself tells.
func request(e *panel.Event) deed {
	return deed{
		kind:   strings.TrimPrefix(panel.Name(e.Field("/payload/target/typeURI")).Text(), "service/"),
		action: panel.Name(e.Field("/payload/action")).Text(), phase: "end",
	}
}

// places are where services have the id of what was changed, and its name.
// Those of one resource that another's also has come later.
var places = []struct{ id, name sdk.Field }{
	{sdk.Want("/payload/nova_object.data/uuid"), sdk.Want("/payload/nova_object.data/display_name")},
	{sdk.Want("/payload/nova_object.data/flavorid"), sdk.Want("/payload/nova_object.data/name")},
	{sdk.Want("/payload/nova_object.data/instance_uuid"), sdk.Field{}},
	{sdk.Want("/payload/nova_object.data/name"), sdk.Want("/payload/nova_object.data/name")},
	{sdk.Want("/payload/instance_id"), sdk.Want("/payload/display_name")},
	{sdk.Want("/payload/snapshot_id"), sdk.Want("/payload/display_name")},
	{sdk.Want("/payload/backup_id"), sdk.Want("/payload/display_name")},
	{sdk.Want("/payload/volume_id"), sdk.Want("/payload/display_name")},
	{sdk.Want("/payload/server_group_id"), sdk.Want("/payload/name")},
	{sdk.Want("/payload/aggregate_id"), sdk.Want("/payload/name")},
	{sdk.Want("/payload/key_name"), sdk.Want("/payload/key_name")},
	{sdk.Want("/payload/stack_identity"), sdk.Want("/payload/stack_name")},
	{sdk.Want("/payload/loadbalancer_id"), sdk.Want("/payload/name")},
	{sdk.Want("/payload/ironic_object.data/uuid"), sdk.Want("/payload/ironic_object.data/name")},
	{sdk.Want("/payload/resource_info"), sdk.Field{}},
	{sdk.Want("/payload/target/id"), sdk.Want("/payload/target/name")},
	{sdk.Want("/payload/image_id"), sdk.Field{}},
	{sdk.Want("/payload/volume_types/id"), sdk.Want("/payload/volume_types/name")},
	{sdk.Want("/payload/designate_object.data/id"), sdk.Want("/payload/designate_object.data/name")},
	{sdk.Want("/payload/id"), sdk.Want("/payload/name")},
}

// versionedName is the name of what has no display_name.
var (
	versionedName = sdk.Want("/payload/nova_object.data/name")
	aggregateID   = sdk.Want("/payload/nova_object.data/id")
)

// resource finds the id and the name of what was changed.
func resource(e *panel.Event, did *deed) (id string, name sdk.Value) {
	if v := e.Get(aggregateID); did.kind == "aggregate" && v.Known() {
		return v.Literal(), e.Get(versionedName) // as in the legacy format, and in Horizon
	}
	if e.Type() == "audit.http.response" { // its target is the service
		return "", sdk.Value{}
	}
	if did.kind == "role_assignment" { // keystone's target is made up
		if v := e.Field("/payload/project"); v.Known() {
			return v.Text(), sdk.Value{}
		}
		return e.Field("/payload/domain").Text(), sdk.Value{}
	}
	for _, p := range places {
		if v := e.Get(p.id); v.Known() {
			name = e.Get(p.name)
			if name.Kind() == sdk.KindAbsent {
				name = e.Get(versionedName)
			}
			return v.Text() + v.Literal(), name
		}
	}
	// neutron: <resource>.id, or <resource>_id beside it
	what := did.kind
	if did.kind == "router" && strings.HasPrefix(did.action, "interface.") {
		what = "router_interface"
	}
	if v := e.Field("/payload/" + what + "/id"); v.Known() {
		return v.Text(), e.Field("/payload/" + what + "/name")
	}
	return e.Field("/payload/" + what + "_id").Text(), sdk.Value{}
}
