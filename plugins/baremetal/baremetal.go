// Package baremetal is the plugin behind ironic's table of nodes.
//
//	admin/baremetal    nodes belong to the cloud
//
// Ironic has a topic of its own, ironic_versioned_notifications, which must be
// among the router's, and tells nothing until its notification_level is set. It
// does not tell of changes that a node's ports make to the table.
package baremetal

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// Of a change made through the API that has not been made yet, or could not be
// made, the payload has what was wished for; what the conductor begins is in the
// node already.
func init() {
	panel.Register(panel.Plugin{
		Name: "baremetal", Grants: []string{"admin", "shared"},
		On: []string{
			"baremetal.node.create.end", "baremetal.node.update.end", "baremetal.node.delete.end",
			"baremetal.node.console_restore.end", "baremetal.node.console_set.end", "baremetal.node.maintenance_set.end",
			"baremetal.node.power_set.*", "baremetal.node.provision_set.*", "baremetal.node.power_state_corrected.success",
		},
		Handle: handle,
	})
}

const data = "/payload/ironic_object.data/"

var (
	id    = sdk.Want(data + "uuid")
	name  = sdk.Want(data + "name")
	state = sdk.Want(data + "provision_state")
	next  = sdk.Want(data + "target_provision_state")
	fault = sdk.Want(data + "last_error")
)

// columns are what the table shows besides, and where: the names are ironic's
// own. driver_info and instance_info hold addresses and logins and stay away.
var columns = []struct {
	key   string
	field sdk.Field
}{
	{"power_state", sdk.Want(data + "power_state")},
	{"target_power_state", sdk.Want(data + "target_power_state")},
	{"target_provision_state", next},
	{"maintenance", sdk.Want(data + "maintenance")},
	{"maintenance_reason", sdk.Want(data + "maintenance_reason")},
	{"fault", sdk.Want(data + "fault")},
	{"driver", sdk.Want(data + "driver")},
	{"instance_uuid", sdk.Want(data + "instance_uuid")},
	{"resource_class", sdk.Want(data + "resource_class")},
	{"conductor_group", sdk.Want(data + "conductor_group")},
	{"console_enabled", sdk.Want(data + "console_enabled")},
	{"protected", sdk.Want(data + "protected")},
	{"retired", sdk.Want(data + "retired")},
	{"owner", sdk.Want(data + "owner")},
	{"lessee", sdk.Want(data + "lessee")},
}

func handle(e *panel.Event) {
	m := panel.Message{
		Topic: "baremetal", Kind: "node", ID: e.Get(id).Text(), Action: panel.Update,
		Name: e.Get(name), Status: e.Get(state), Task: e.Get(next), Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	switch e.Type() {
	case "baremetal.node.create.end":
		m.Action = panel.Create
	case "baremetal.node.delete.end":
		m.Action = panel.Delete
	}
	if text := e.Get(fault).Text(); text != "" {
		m.Error = sdk.StringValue(panel.Sentence(text))
	}
	d := panel.Begin(e, &m)
	for _, c := range columns {
		d.Data.Value(c.key, e.Get(c.field))
	}
	panel.Time(&d.Data, "provision_updated_at", e.Field(data+"provision_updated_at"))
	d.ToAdmin()
}
