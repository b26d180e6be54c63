package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// What masakari tells of its failover segments, of the hosts in them, and of the
// failures that it is notified of (masakari/notifications), is for admins. What its
// API has begun or failed to do leaves the table as it is. Neutron has segments,
// too.
const (
	masakari     = "/payload/masakari_object.data/"
	fromMasakari = "masakari-"
)

var segments = table{
	topic: "segments", kind: "segment", publisher: fromMasakari,
	create: []string{"segment.create.end"}, update: []string{"segment.update.end"}, remove: []string{"segment.delete.end"},
	at: masakari, id: "uuid", name: "name",
	columns: []string{"recovery_method", "service_type", "description", "enabled"},
}

var hosts = table{
	topic: "hosts", kind: "host", publisher: fromMasakari,
	create: []string{"host.create.end"}, update: []string{"host.update.end"}, remove: []string{"host.delete.end"},
	at: masakari, id: "uuid", name: "name",
	columns: []string{"type", "control_attributes", "reserved", "on_maintenance", "failover_segment_id"},
}

var failures = table{
	topic: "notifications", kind: "notification", publisher: fromMasakari,
	create: []string{"notification.create.end"},
	update: []string{"notification.process.start", "notification.process.end", "notification.process.error"},
	at:     masakari, id: "notification_uuid", status: "status",
	columns: []string{"type", "source_host_uuid", "generated_time", "payload"},
	adapt: func(e *panel.Event, m *panel.Message) bool {
		if reason := e.Field(masakari + "fault/masakari_object.data/exception_message").Text(); reason != "" {
			m.Error = sdk.StringValue(panel.Sentence(reason))
		}
		return true
	},
}
