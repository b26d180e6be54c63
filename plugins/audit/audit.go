// Package audit is the plugin behind a live log of what is done in the cloud: a
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
package audit

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "audit", Grants: []string{"admin", "shared"},
		On: []string{"*"}, Handle: handle,
	})
}

var (
	outcome = sdk.Want("/payload/outcome")
	// context is who acted by the request's context, and cadf by CADF, which
	// keeps a person's id apart from that of a service.
	context = person{
		id: sdk.Want("/_context_user_id"), name: sdk.Want("/_context_user_name"),
		project: sdk.Want("/_context_project_id"), projectName: sdk.Want("/_context_project_name"),
	}
	cadf = person{
		id: sdk.Want("/payload/initiator/user_id"), name: sdk.Want("/payload/initiator/username"),
		project: sdk.Want("/payload/initiator/project_id"), address: sdk.Want("/payload/initiator/host/address"),
	}
	initiatorID = sdk.Want("/payload/initiator/id")
)

// person is where a notification says who acted. What it does not say is a zero
// Field.
type person struct{ id, name, project, projectName, address sdk.Field }

func handle(e *panel.Event) {
	did, told := read(e.Type())
	if did.kind == "audit" {
		did = request(e)
	}
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
	o.StringOrNull("resource_id", panel.Name(sdk.StringValue(id)).Text())
	o.Value("name", panel.Name(name))
	o.StringOrNull("project_id", e.Project())
	o.StringOrNull("user_id", e.User())
	actor(e, o)
	o.StringOrNull("request_id", e.RequestID())
	e.Emit(sdk.Admin("audit"), "", o)
}

// actor tells who did it: by the request's context, or else by CADF.
func actor(e *panel.Event, o sdk.ObjectBuilder) {
	by, id := &context, e.Get(context.id)
	if !id.Known() && e.Get(initiatorID).Known() {
		by, id = &cadf, e.Get(cadf.id)
		if !id.Known() {
			id = e.Get(initiatorID)
		}
	}
	a := o.Object("actor")
	a.Value("user_id", panel.Name(id))
	name := e.Get(by.name)
	if by == &cadf && !name.Known() {
		name = e.Field("/payload/initiator/name")
	}
	a.Value("user_name", panel.Name(name))
	a.Value("project_id", panel.Name(e.Get(by.project)))
	a.Value("project_name", panel.Name(e.Get(by.projectName)))
	a.Value("address", panel.Name(e.Get(by.address)))
}

// first reports whether nova has not told this in its other format yet, under
// another name: finish_resize and resize_finish, addhost and add_host.
func first(e *panel.Event, did *deed, id string, failed bool) bool {
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
func reason(e *panel.Event) string {
	for _, pointer := range [...]string{
		"/payload/nova_object.data/fault/nova_object.data/exception_message",
		"/payload/nova_object.data/reason/nova_object.data/exception_message",
		"/payload/message", "/payload/state_reason", "/payload/fail_reason",
		"/payload/ironic_object.data/last_error",
		"/payload/target/attachments/0/content/status_reason",
		"/payload/reason/reasonType",
	} {
		if text := e.Field(pointer).Text(); text != "" {
			if text == "HTTP" { // keystonemiddleware's, and a number
				text += " " + e.Field("/payload/reason/reasonCode").Text()
			}
			return panel.Sentence(text)
		}
	}
	return ""
}
