// Command audit is the filter behind a live log of what is done in the cloud: a
// compact line of every action of every service, as it ends or fails.
//
//	admin/audit
//
// A line is
//
//	{"v":1, "id":"<message id>", "at":"…", "event":"instance.suspend.end",
//	 "kind":"instance", "action":"suspend", "outcome":"success|failure", "error":null,
//	 "resource_id":"…", "name":"…", "project_id":"<owner>", "user_id":"<owner>",
//	 "actor":{"user_id":"…", "user_name":"…", "project_id":"…", "project_name":"…", "address":"…"},
//	 "request_id":"req-…"}
//
// without what the service does not say: glance and keystone's basic format name
// no actor, and only keystone's CADF the address they came from. Lines have no
// key, so that none takes another's place. It is no record for auditors:
// notifications can be lost, and history is short.
package main

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	sdk.Register(sdk.Filter{On: []string{"*"}, Handle: handle})
}

func main() {}

var (
	outcome   = sdk.Want("/payload/outcome")
	userID    = sdk.Want("/_context_user_id")
	userName  = sdk.Want("/_context_user_name")
	project   = sdk.Want("/_context_project_id")
	projectN  = sdk.Want("/_context_project_name")
	initiator = sdk.Want("/payload/initiator")
)

func handle(e *sdk.Event) {
	did, told := read(e.Type())
	if !told {
		return
	}
	failed := did.phase == "error" || e.Priority() == "error" || e.Priority() == "critical" || e.Get(outcome).Text() == "failure"
	if e.Get(outcome).Text() == "pending" || did.action == "authenticate" && !failed {
		return
	}
	id, name := resource(e, &did)
	if !first(e, &did, id, failed) {
		return
	}
	o := e.Object()
	o.Int("v", 1)
	o.String("id", e.MessageID())
	o.String("at", e.Time())
	o.String("event", e.Type())
	o.String("kind", did.kind)
	o.String("action", did.action)
	if failed {
		o.String("outcome", "failure")
		o.StringOrNull("error", reason(e))
	} else {
		o.String("outcome", "success")
		o.Null("error")
	}
	o.StringOrNull("resource_id", id)
	o.Value("name", panel.Small(name))
	o.StringOrNull("project_id", e.Project())
	o.StringOrNull("user_id", e.User())
	actor(e, o)
	o.StringOrNull("request_id", e.RequestID())
	e.Emit(sdk.Admin("audit"), "", o)
}

// actor tells who did it: by the request's context, or else by CADF.
func actor(e *sdk.Event, o sdk.ObjectBuilder) {
	a := o.Object("actor")
	by := e.Get(initiator)
	if e.Get(userID).Known() || !by.Known() {
		a.Value("user_id", e.Get(userID))
		a.Value("user_name", e.Get(userName))
		a.Value("project_id", e.Get(project))
		a.Value("project_name", e.Get(projectN))
		return
	}
	id := by.Member("user_id")
	if !id.Known() {
		id = by.Member("id")
	}
	a.Value("user_id", id)
	a.Value("user_name", by.Member("username"))
	a.Value("project_id", by.Member("project_id"))
	a.Value("address", by.Member("host").Member("address"))
}

// first tells whether nova has not told this in its other format yet, under
// another name: finish_resize and resize_finish, addhost and add_host.
func first(e *sdk.Event, did *deed, id string, failed bool) bool {
	if !did.nova || e.RequestID() == "" || id == "" {
		return true
	}
	how := "done"
	if failed {
		how = "failed"
	}
	return panel.Once(e, e.RequestID(), id, plain(did.action), how)
}

// plain is what the two formats' names of an action have in common.
func plain(action string) string {
	letters := make([]byte, 0, 32)
	for i := range len(action) {
		if c := action[i]; c != '_' && c != '.' {
			letters = append(letters, c)
		}
	}
	if string(letters) == "finishresize" {
		return "resizefinish"
	}
	return string(letters)
}

// reason finds where services say what went wrong. Admins may read all of it.
func reason(e *sdk.Event) string {
	for _, pointer := range [...]string{
		"/payload/nova_object.data/fault/nova_object.data/exception_message",
		"/payload/nova_object.data/reason/nova_object.data/exception_message",
		"/payload/message", "/payload/state_reason", "/payload/fail_reason",
		"/payload/ironic_object.data/last_error",
		"/payload/target/attachments/0/content/status_reason",
		"/payload/reason/reasonType",
	} {
		if text := e.Field(pointer).Text(); text != "" {
			return panel.Sentence(text)
		}
	}
	return ""
}
