// Package stacks is the plugin behind Horizon's stacks table: heat's
// notifications.
//
//	project/<owner>/stacks
//	admin/stacks                        the same, and who acted
//	project/<actor's project>/stacks    with projects = true, and the grant cross_project
//
// Heat does not say whose a stack is: its tenant_id is the project of whoever
// acted. That is the owner if a user acted who is no admin, because others' stacks
// are out of their reach. Of what admins do, and heat with stored credentials, only
// admins are told, unless projects = true: then the actor's project is, which is
// nearly always the owner.
package stacks

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "stacks", Grants: []string{"admin", "shared"},
		On: []string{"orchestration.stack.*"}, Start: start, Handle: handle,
	})
}

var (
	id          = sdk.Want("/payload/stack_identity")
	name        = sdk.Want("/payload/stack_name")
	project     = sdk.Want("/payload/tenant_id")
	state       = sdk.Want("/payload/state")
	reason      = sdk.Want("/payload/state_reason")
	description = sdk.Want("/payload/description")
	created     = sdk.Want("/payload/create_at")
	updated     = sdk.Want("/payload/updated_at")
	tags        = sdk.Want("/payload/tags")
)

var toProjects bool

// start reads the configuration.
//
//	admin = false      send nothing to admin/stacks
//	projects = true    send to the project of whoever acted; needs the grant cross_project
//
// # Errors
//
// A key is unknown or its value no boolean.
func start(config sdk.Value) error { return panel.ConfigureAnd(config, "projects", &toProjects) }

// handle tells of a stack; also of nested ones, which heat does not mark and
// Horizon's table does not list: a panel asks for a row it does not know.
func handle(e *panel.Event) {
	m := panel.Message{
		Topic: "stacks", Kind: "stack", ID: e.Get(id).Text(),
		Action: panel.Update, Name: e.Get(name), Status: e.Get(state), Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	action, phase, _ := strings.Cut(strings.TrimPrefix(e.Type(), "orchestration.stack."), ".")
	switch {
	case phase == "error":
		m.Error = sdk.StringValue(panel.Sentence(e.Get(reason).Text()))
	case action == "delete" && phase == "end":
		m.Action = panel.Delete
	case (action == "create" || action == "adopt") && phase == "start":
		m.Action = panel.Create
	}
	d := panel.Begin(e, &m)
	d.Data.Value("state_reason", e.Get(reason))
	d.Data.Value("description", e.Get(description))
	panel.Time(&d.Data, "created_at", e.Get(created))
	panel.Time(&d.Data, "updated_at", e.Get(updated))
	d.Data.Value("tags", e.Get(tags))
	if e.Project() != "" {
		d.ToProject()
	} else if toProjects {
		d.To(sdk.Project(e.Get(project).Text(), m.Topic))
	}
	d.Data.Value("actor_project_id", e.Get(project))
	d.ToAdmin()
}
