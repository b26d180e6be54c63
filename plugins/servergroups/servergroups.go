// Package servergroups is the plugin behind Horizon's server groups table:
// nova's notifications about server groups, in their legacy and their versioned
// format.
//
//	project/<owner>/servergroups
//
// The legacy format names no owner if a group is deleted or gets a member:
// with it alone, only creations can be told.
package servergroups

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "servergroups", Grants: []string{"admin", "shared"},
		On: []string{"servergroup.*", "server_group.*"}, Handle: handle,
	})
}

// group is where one of nova's two formats has what the table shows.
type group struct{ id, name, policy, rules, members sdk.Field }

var legacy = group{
	id: sdk.Want("/payload/server_group_id"), name: sdk.Want("/payload/name"),
	policy: sdk.Want("/payload/policy"), rules: sdk.Want("/payload/_rules"),
}

const data = "/payload/nova_object.data/"

var versioned = group{
	id: sdk.Want(data + "uuid"), name: sdk.Want(data + "name"),
	policy: sdk.Want(data + "policy"), rules: sdk.Want(data + "rules"), members: sdk.Want(data + "members"),
}

func handle(e *panel.Event) {
	f := &versioned
	if strings.HasPrefix(e.Type(), "servergroup.") {
		f = &legacy
	}
	id := e.Get(f.id).Text()
	if id == "" {
		return
	}
	m := panel.Message{
		Topic: "servergroups", Kind: "server_group", ID: id,
		Action: panel.Update, Name: e.Get(f.name),
	}
	switch {
	case strings.HasSuffix(e.Type(), ".create"):
		m.Action = panel.Create
	case strings.HasSuffix(e.Type(), ".delete"):
		m.Action = panel.Delete
	}
	d := panel.Begin(e, &m)
	d.Data.Value("policy", e.Get(f.policy))
	d.Data.Value("rules", e.Get(f.rules))
	d.Data.Value("members", e.Get(f.members))
	d.ToProject()
}
