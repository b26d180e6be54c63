// Package tables is the plugin behind the tables of services that need little code
// of their own: manila, trove, blazar, aodh, masakari and watcher. There is a file
// for each, with what its notifications say and where.
//
//	project/<owner>/<topic>    what the service's API shows a tenant
//	admin/<topic>              the same, and what it shows admins only
//
// The topics are shares (manila), databases (trove), leases (blazar) and alarms
// (aodh); and for admins alone share_types (manila), segments, hosts and
// notifications (masakari), audits and action_plans (watcher).
package tables

import (
	"strings"

	"horizon-realtime/plugins/panel"
)

var tables = []*table{
	&shares, &shareTypes, &databases, &leases, &alarms,
	&segments, &hosts, &failures, &audits, &actionPlans,
}

func init() {
	var on []string
	for _, t := range tables {
		on = append(on, t.events()...)
	}
	panel.Register(panel.Plugin{
		Name: "tables", Grants: []string{"admin", "shared"},
		Topics: []string{
			"shares", "share_types", "databases", "leases", "alarms", "segments", "hosts", "notifications", "audits",
			"action_plans",
		},
		On: on, Start: panel.Configure, Handle: handle,
	})
}

func handle(e *panel.Event) {
	for _, t := range tables {
		if action, ok := t.does(e.Type()); ok && strings.HasPrefix(e.Publisher(), t.publisher) {
			t.tell(e, action)
			return
		}
	}
}
