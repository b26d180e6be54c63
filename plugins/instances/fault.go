package main

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// fault tells what went wrong: null where nothing did. Where the server is in
// error, or on the way there (create.error comes some updates before the state),
// and this notification does not say why, it is absent, so that a panel keeps
// the reason that another one gave.
func fault(e *sdk.Event, f *server, event string, state sdk.Value) sdk.Value {
	if v := e.Get(f.fault); v.Known() {
		return sdk.StringValue(panel.Exception(v))
	}
	if strings.HasSuffix(event, ".error") && e.Get(f.message).Text() != "" {
		return sdk.StringValue(panel.Sentence(e.Get(f.message).Text()))
	}
	if s := state.Text(); s == "error" || s == "building" && event != "create.start" {
		return sdk.Value{}
	}
	return sdk.NullValue()
}

// unscheduled is nova's conductor telling that it found no place for a server,
// to build it or to move it to. The server's own notifications do not say why.
func unscheduled(e *sdk.Event) {
	id, state, reason := e.Field(data+"instance_uuid").Text(), e.Field(data+"state"), ""
	if id != "" {
		reason = panel.Exception(e.Field(data + "reason"))
	} else {
		id, state = e.Get(legacy.id).Text(), e.Get(legacy.state)
		// Only nova's own exceptions have kwargs, and a message for tenants.
		if text := e.Field("/payload/reason").Text(); strings.HasPrefix(text, "{'kwargs': ") {
			reason = pythonMember(text, "message")
		}
	}
	if id == "" || reason == "" {
		return
	}
	m := panel.Message{
		Topic: "instances", Kind: "server", ID: id, Action: panel.Update,
		// The conductor resets the task before it tells.
		Status: status(state, sdk.NullValue()), Task: sdk.NullValue(),
		Error: sdk.StringValue(panel.Sentence(reason)),
	}
	d := panel.Begin(e, &m)
	d.ToProject()
	d.ToAdmin()
}

// pythonMember finds a string in what Python's repr makes of a dict, which is how
// the legacy format carries an exception:
//
//	{'kwargs': {'reason': '', 'code': 500}, 'message': 'No valid host was found. ', 'class': 'NoValidHost_Remote'}
//
// The last member of that name counts: the outer one comes after those of kwargs.
func pythonMember(text, name string) string {
	i := strings.LastIndex(text, "'"+name+"': ")
	if i < 0 {
		return ""
	}
	text = text[i+len(name)+4:]
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return ""
	}
	var decoded []byte
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return string(decoded)
		case c != '\\' || i+1 == len(text):
			decoded = append(decoded, c)
		default:
			i++
			if c = text[i]; c == 'n' {
				c = '\n'
			}
			decoded = append(decoded, c)
		}
	}
	return ""
}
