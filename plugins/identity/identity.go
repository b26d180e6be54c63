// Package identity is the plugin behind Horizon's identity tables: keystone's
// notifications, in their basic and their CADF format.
//
//	admin/users, admin/projects, admin/groups, admin/roles, admin/domains
//	admin/catalog    services, endpoints and regions
//	admin/credentials, admin/application_credentials, admin/access_rules
//
// Keystone tells that something changed and the id of what, no name and no
// other column, and names no owner: the messages are hints to ask for the row.
package identity

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "identity", Grants: []string{"admin", "shared"},
		Topics: []string{
			"projects", "users", "groups", "roles", "domains", "catalog", "credentials", "application_credentials",
			"access_rules",
		},
		On: []string{
			"identity.user.*", "identity.project.*", "identity.group.*", "identity.role.*", "identity.domain.*",
			"identity.service.*", "identity.endpoint.*", "identity.region.*",
			"identity.role_assignment.*",
			"identity.credential.*", "identity.application_credential.*", "identity.access_rule.*",
		},
		Handle: handle,
	})
}

// topics by keystone's names of what changes.
var topics = map[string]string{
	"user": "users", "project": "projects", "group": "groups", "role": "roles", "domain": "domains",
	"service": "catalog", "endpoint": "catalog", "region": "catalog",
	"credential": "credentials", "application_credential": "application_credentials", "access_rule": "access_rules",
}

var (
	basicID   = sdk.Want("/payload/resource_info")
	cadfID    = sdk.Want("/payload/target/id")
	outcome   = sdk.Want("/payload/outcome")
	member    = sdk.Want("/payload/actor_id")
	operation = sdk.Want("/payload/actor_operation")
	role      = sdk.Want("/payload/role")
	user      = sdk.Want("/payload/user")
	group     = sdk.Want("/payload/group")
	project   = sdk.Want("/payload/project")
	domain    = sdk.Want("/payload/domain")
	inherited = sdk.Want("/payload/inherited_to_projects")
)

func handle(e *panel.Event) {
	if how := e.Get(outcome).Text(); how != "" && how != "success" {
		return
	}
	kind, what, _ := strings.Cut(strings.TrimPrefix(e.Type(), "identity."), ".")
	if kind == "role_assignment" {
		assignment(e, what == "created")
		return
	}
	m := panel.Message{Topic: topics[kind], Kind: kind, Action: panel.Update, ID: e.Get(basicID).Text()}
	if m.ID == "" {
		m.ID = e.Get(cadfID).Text()
	}
	if m.ID == "" {
		return
	}
	switch what {
	case "created":
		m.Action = panel.Create
	case "deleted":
		m.Action = panel.Delete
	}
	d := panel.Begin(e, &m)
	membership(e, &d.Data)
	d.ToAdmin()
}

// membership tells who was added to or removed from a group.
func membership(e *panel.Event, o *panel.Columns) {
	switch e.Get(operation).Text() {
	case "added":
		o.Value("added_user_id", e.Get(member))
	case "removed":
		o.Value("removed_user_id", e.Get(member))
	}
}

// assignment tells those tables that a role was given or taken away: of what it
// is in, and of who has it.
func assignment(e *panel.Event, assigned bool) {
	for _, about := range [...]struct {
		kind  string
		field sdk.Field
	}{{"project", project}, {"domain", domain}, {"user", user}, {"group", group}} {
		m := panel.Message{Topic: topics[about.kind], Kind: about.kind, Action: panel.Update, ID: e.Get(about.field).Text()}
		if m.ID == "" {
			continue
		}
		d := panel.Begin(e, &m)
		o := d.Data.Object("role_assignment")
		o.Bool("assigned", assigned)
		o.Value("role_id", e.Get(role))
		o.Value("user_id", e.Get(user))
		o.Value("group_id", e.Get(group))
		o.Value("project_id", e.Get(project))
		o.Value("domain_id", e.Get(domain))
		o.Value("inherited", e.Get(inherited))
		d.ToAdmin()
	}
}
