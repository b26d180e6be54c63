package instances

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// fault says what went wrong: null if nothing did. If the server is in
// error, or on the way there (create.error comes some updates before the state),
// and this notification does not say why, it is absent, so that a panel keeps
// the reason that another one gave.
func fault(e *panel.Event, f *server, event string, state sdk.Value) sdk.Value {
	if e.Get(f.fault).Known() {
		return sdk.StringValue(panel.Exception(e, faultAt))
	}
	if strings.HasSuffix(event, ".error") && e.Get(f.message).Text() != "" {
		return sdk.StringValue(panel.Sentence(e.Get(f.message).Text()))
	}
	if s := state.Text(); s == "error" || s == "building" && event != "create.start" {
		return sdk.Value{}
	}
	return sdk.NullValue()
}

// unscheduled is nova's conductor telling that it found no place for a server.
func unscheduled(e *panel.Event) {
	id, state, reason := panel.Unplaced(e)
	if id == "" || reason == "" {
		return
	}
	m := panel.Message{
		Topic: "instances", Kind: "server", ID: id, Action: panel.Update,
		// The conductor resets the task before it tells.
		Status: status(state, sdk.NullValue()), Task: sdk.NullValue(),
		Error: sdk.StringValue(reason),
	}
	d := panel.Begin(e, &m)
	d.ToProject()
	d.ToAdmin()
}
