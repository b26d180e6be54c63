package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// alarms are told by aodh/api/controllers/v2/alarms.py and aodh/evaluator, if
// aodh's record_history is on, which it is. Whose alarm was deleted, they do not
// say, so that only admins hear of it.
var alarms = table{
	topic: "alarms", kind: "alarm",
	create: []string{"alarm.creation"}, update: []string{"alarm.rule_change", "alarm.state_transition"}, remove: []string{"alarm.deletion"},
	at: "/payload/", id: "alarm_id", name: "detail/name", status: "detail/state",
	columns: []string{"severity", "type=detail/type", "enabled=detail/enabled", "description=detail/description", "state_reason=detail/state_reason"},
	adapt:   alarm,
}

// alarm reads the details that the evaluator tells as a text of JSON.
func alarm(e *panel.Event, m *panel.Message) bool {
	if text := e.Field("/payload/detail").Text(); text != "" {
		m.Status = sdk.Parse(text).Member("state")
	}
	return true
}
