package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// shares are told by manila/share/utils.py, one instance of a share at a time; of
// snapshots, share networks, groups and servers manila tells nothing.
var shares = table{
	topic: "shares", kind: "share",
	create: []string{"share.create.start"},
	update: []string{
		"share.create.end", "share.delete.start", "share.extend.start", "share.extend.end", "share.shrink.start", "share.shrink.end",
		"share.transfer.create.end", "share.transfer.delete.end", "share.transfer.accept.end",
	},
	remove: []string{"share.delete.end"},
	at:     "/payload/", id: "share_id", name: "name", status: "status",
	columns:   []string{"size", "proto", "is_public", "share_type", "description", "availability_zone", "share_type_id", "share_group_id", "snapshot_id", "host"},
	adminOnly: 1,
	adapt:     share,
}

// share puts the status right where manila tells the one of before.
func share(e *panel.Event, m *panel.Message) bool {
	switch e.Type() {
	case "share.transfer.create.end":
		m.Status = sdk.StringValue("awaiting_transfer")
	case "share.transfer.delete.end":
		m.Status = sdk.StringValue("available")
	case "share.transfer.accept.end":
		// Told with the share as it was, so that the old owner hears that it is
		// time to look, and the new one nothing.
		m.Status, m.Name = sdk.Value{}, sdk.Value{}
	}
	failed(m)
	return true
}

// shareTypes are told by manila/api/v2/share_types.py, with the reason in place of
// the type if a change was refused.
var shareTypes = table{
	topic: "share_types", kind: "share_type",
	create: []string{"share_type.create"}, update: []string{"share_type.update"}, remove: []string{"share_type.delete"},
	at: "/payload/share_types/", id: "id", name: "name",
	columns: []string{"description", "is_public", "required_extra_specs", "extra_specs"},
}
