package auth

import (
	"slices"
	"strings"
	"time"

	"horizon-realtime/router/event"
)

// Identity is who a client proved to be. It is made by an Authenticator and not
// changed afterwards, so any number of goroutines may read one.
type Identity struct {
	// User is Keystone's user id. An empty one matches no channel.
	User string
	// Project is the id of the project the token is scoped to; empty for a
	// domain's, the system's or no scope at all, and then matches no channel.
	Project string
	// Roles are the names of the roles held in that scope.
	Roles []string
	// Admin opens admin/*: a role of [auth] admin_roles, or a reader of the
	// whole system.
	Admin bool
	// Expires is when the connection must end; zero: never.
	Expires time.Time
	// Channels narrows what may be heard to this list of channels and
	// patterns. nil does not narrow; an empty list leaves nothing.
	Channels []event.Channel
	// Name is for people, nothing is decided by it.
	Name string

	// proof is what the identity rests on. It holds the token, and is a
	// pointer so that printing an Identity cannot print it.
	proof *proof
}

// proof is the evidence of an identity, kept to ask again.
type proof struct {
	method  string // one of the method constants
	token   string
	recheck time.Time // when a periodic check is due; zero: none
	// concerns are ids in Keystone whose change may end this identity: the
	// user, the project, their domains, a trust, an application credential.
	concerns []string
}

// RevalidateAt is when the identity is due to be checked with
// Authenticator.Revalidate; zero: only when an Affected notification says so.
func (id *Identity) RevalidateAt() time.Time {
	if id.proof == nil {
		return time.Time{}
	}
	return id.proof.recheck
}

// Hearable lists the widest patterns the identity may subscribe to, for a page
// that wants to know what to ask for. Each of them passes MayHear.
func (id *Identity) Hearable() []string {
	names := []string{}
	if id.Channels != nil {
		for _, ch := range id.Channels {
			if MayHear(id, ch) == nil {
				names = append(names, ch.Name)
			}
		}
		return names
	}
	for _, name := range []string{
		"project/" + id.Project + "/*", "user/" + id.User + "/*", "admin/*", "public/*",
	} {
		if ch, err := event.ParsePattern(name); err == nil && MayHear(id, ch) == nil {
			names = append(names, name)
		}
	}
	return names
}

// concerned tells whether the identity depends on something in Keystone by that
// id. An empty id concerns nobody.
func (id *Identity) concerned(keystoneID string) bool {
	if keystoneID == "" {
		return false
	}
	return id.User == keystoneID || id.Project == keystoneID ||
		id.proof != nil && slices.Contains(id.proof.concerns, keystoneID)
}

// hasAny tells whether one of the roles is one of the wanted. Role names are
// compared as Keystone's policies do, without regard to case.
func hasAny(roles, wanted []string) bool {
	for _, role := range roles {
		if slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, role) }) {
			return true
		}
	}
	return false
}
