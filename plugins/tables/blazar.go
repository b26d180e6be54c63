package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// leases are told by blazar/manager/service.py.
var leases = table{
	topic: "leases", kind: "lease",
	create: []string{"lease.create"},
	update: []string{"lease.update", "lease.event.start_lease", "lease.event.before_end_lease", "lease.event.end_lease"},
	remove: []string{"lease.delete"},
	at:     "/payload/", id: "lease_id", name: "name", status: "status",
	columns: []string{"start_date", "end_date", "degraded", "created_at", "updated_at"},
	adapt:   lease,
}

// lease leaves out a status in passing: an update tells UPDATING and never what
// follows, so that a page asks.
func lease(_ *panel.Event, m *panel.Message) bool {
	switch m.Status.Text() {
	case "CREATING", "STARTING", "UPDATING", "TERMINATING", "DELETING":
		m.Status = sdk.Value{}
	}
	failed(m)
	return true
}
