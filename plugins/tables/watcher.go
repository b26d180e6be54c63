package tables

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// What watcher tells of its audits and action plans (watcher/notifications) is for
// admins. It also tells service.update, as nova does, whose table shows other
// services.
const (
	watcher     = "/payload/watcher_object.data/"
	fromWatcher = "infra-optim:"
)

var audits = table{
	topic: "audits", kind: "audit", publisher: fromWatcher,
	create: []string{"audit.create"},
	update: []string{
		"audit.update", "audit.strategy.start", "audit.strategy.end", "audit.strategy.error",
		"audit.planner.start", "audit.planner.end", "audit.planner.error",
	},
	remove: []string{"audit.delete"},
	at:     watcher, id: "uuid", name: "name", status: "state",
	columns: []string{
		"audit_type", "goal_uuid", "goal=goal/watcher_object.data/display_name", "strategy_uuid", "interval", "auto_trigger", "next_run_time", "status_message",
		"created_at", "updated_at",
	},
	adapt: optimization,
}

var actionPlans = table{
	topic: "action_plans", kind: "action_plan", publisher: fromWatcher,
	create: []string{"action_plan.create"},
	update: []string{
		"action_plan.update", "action_plan.execution.start", "action_plan.execution.end", "action_plan.execution.error",
		"action_plan.cancel.start", "action_plan.cancel.end", "action_plan.cancel.error",
	},
	remove: []string{"action_plan.delete"},
	at:     watcher, id: "uuid", status: "state",
	columns: []string{"audit_uuid", "strategy_uuid", "global_efficacy", "status_message", "created_at", "updated_at"},
	adapt:   optimization,
}

// optimization reads why something failed.
func optimization(e *panel.Event, m *panel.Message) bool {
	if reason := e.Field(watcher + "fault/watcher_object.data/exception_message").Text(); reason != "" {
		m.Error = sdk.StringValue(panel.Sentence(reason))
	}
	return true
}
