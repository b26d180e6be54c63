package auth

import (
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// Where Keystone's notifications say what changed, in its own format and in CADF.
// The target of a role assignment is a made-up id; user, group and project stand
// beside it (keystone/notifications.py).
var (
	atResource = pointer("/payload/resource_info")
	atTarget   = pointer("/payload/target/id")
	atUser     = pointer("/payload/user")
	atGroup    = pointer("/payload/group")
	atProject  = pointer("/payload/project")
	atActor    = pointer("/payload/actor_id")
	atActorIs  = pointer("/payload/actor_type")
)

func pointer(s string) json.Pointer {
	p, err := json.ParsePointer(s)
	if err != nil {
		panic(err)
	}
	return p
}

// Revocation reads one of Keystone's notifications. It returns a function that
// reports whether an identity must be revalidated at once, or nil if the
// notification revokes nothing. What the Authenticator remembers about those
// identities is forgotten before Revocation returns. It does not keep n.
//
// If Keystone does not say who is affected (the members of a group, the holders of
// a role), every identity with a Keystone token is.
func (a *Authenticator) Revocation(n *event.Notification) func(*Identity) bool {
	match, deleted := readRevocation(n)
	if match == nil {
		return nil
	}
	if a.jwt != nil && deleted != "" {
		a.jwt.deleted.add(deleted)
	}
	if a.keystone != nil {
		a.keystone.cache.drop(match)
	}
	return match
}

// readRevocation reads the notification. deleted is the id of a user, project or
// domain that was deleted.
func readRevocation(n *event.Notification) (match func(*Identity) bool, deleted string) {
	what, ok := strings.CutPrefix(n.Type, "identity.")
	dot := strings.LastIndexByte(what, '.')
	if !ok || dot < 0 {
		return nil, ""
	}
	what, action := what[:dot], what[dot+1:]
	if action != "updated" && action != "deleted" && action != "disabled" && what != "role_assignment" {
		return nil, ""
	}
	switch what {
	case "user", "project", "domain":
		id := subjectOf(n)
		if action == "deleted" {
			deleted = id
		}
		return dependingOn(id), deleted
	case "OS-TRUST:trust", "application_credential":
		return dependingOn(subjectOf(n)), ""
	case "group":
		if n.Get(atActorIs).Text() == "user" {
			return dependingOn(n.Get(atActor).Text()), ""
		}
		return byKeystone, ""
	case "role":
		if action == "deleted" {
			return byKeystone, ""
		}
	case "role_assignment":
		return assigned(n, action), ""
	}
	return nil, ""
}

func assigned(n *event.Notification, action string) func(*Identity) bool {
	if user := n.Get(atUser).Text(); user != "" {
		return dependingOn(user)
	}
	if action != "deleted" {
		// A group gained a role. Its members can wait for that.
		return nil
	}
	project := n.Get(atProject).Text()
	if n.Get(atGroup).Text() != "" && project != "" {
		return dependingOn(project)
	}
	return byKeystone
}

func subjectOf(n *event.Notification) string {
	if id := n.Get(atResource).Text(); id != "" {
		return id
	}
	return n.Get(atTarget).Text()
}

func dependingOn(keystoneID string) func(*Identity) bool {
	if keystoneID == "" {
		return nil
	}
	return func(id *Identity) bool { return id.dependsOn(keystoneID) }
}

func byKeystone(id *Identity) bool { return id.proof != nil && id.proof.method == methodKeystone }
