package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// databases are told by trove's taskmanager: TroveInstance… in
// trove/common/notification.py. What trove's API tells, as dbaas.*, names the
// project of whoever asked and mostly no instance, so nobody is told.
var databases = table{
	topic: "databases", kind: "database",
	create: []string{"trove.instance.create"}, update: []string{"trove.instance.modify_flavor"}, remove: []string{"trove.instance.delete"},
	at: "/payload/", id: "instance_id", name: "name", status: "state",
	columns: []string{"instance_type", "instance_type_id", "volume_size", "availability_zone", "region", "created_at", "nova_instance_id", "nova_volume_id"},
	// The server and the volume behind it are trove's own.
	adminOnly: 2,
	adapt: func(_ *panel.Event, m *panel.Message) bool {
		m.Status = sdk.StringValue(panel.Upper(m.Status.Text())) // as its API has it
		failed(m)
		return true
	},
}
