package auth

import (
	"slices"
	"strings"
	"time"

	"horizon-realtime/router/event"
)

// Identity is who a client proved to be. An Authenticator makes it and nobody
// changes it afterwards, so it is safe for concurrent reading.
type Identity struct {
	// User is Keystone's user id. An empty id matches no channel.
	User string
	// Project is the id of the project that the token is scoped to. It is empty
	// for a token scoped to a domain, the system or nothing, and then matches no
	// channel.
	Project string
	// Roles are the names of the user's roles in that scope.
	Roles []string
	// Admin opens admin/*. It takes one of [auth] admin_roles, or the role reader
	// on the whole system.
	Admin bool
	// Expires is when the connection must end; zero: never.
	Expires time.Time
	// Channels limits what the identity may hear to these channels and patterns.
	// nil sets no limit; an empty list allows nothing.
	Channels []event.Channel
	// Name is for display only.
	Name string

	// proof holds the token. It is a pointer so that printing an Identity cannot
	// print the token.
	proof *proof
}

// proof is the evidence for an identity, kept so that it can be checked again.
type proof struct {
	method  string // one of the method constants
	token   string
	recheck time.Time // when the next periodic check is due; zero: never
	// dependencies are further Keystone ids whose change may end this identity:
	// domains, a trust and its users, an application credential.
	dependencies []string
}

// RevalidateAt is when the identity is due for Authenticator.Revalidate. Zero
// means only when a Revocation matches it.
func (id *Identity) RevalidateAt() time.Time {
	if id.proof == nil {
		return time.Time{}
	}
	return id.proof.recheck
}

// dueBy is the identity with its next check at that time at the latest.
func (id *Identity) dueBy(at time.Time) *Identity {
	if id.proof == nil || !id.proof.recheck.IsZero() && !at.Before(id.proof.recheck) {
		return id
	}
	sooner, p := *id, *id.proof
	p.recheck, sooner.proof = at, &p
	return &sooner
}

// Hearable lists the widest patterns that the identity may subscribe to, so that
// a page knows what to ask for. Each of them passes MayHear.
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

// dependsOn reports whether a change of this Keystone object may end the
// identity. No identity depends on an empty id.
func (id *Identity) dependsOn(keystoneID string) bool {
	if keystoneID == "" {
		return false
	}
	return id.User == keystoneID || id.Project == keystoneID ||
		id.proof != nil && slices.Contains(id.proof.dependencies, keystoneID)
}

// hasAny reports whether roles and wanted share a name. Like Keystone's policies
// it ignores case.
func hasAny(roles, wanted []string) bool {
	for _, role := range roles {
		if slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, role) }) {
			return true
		}
	}
	return false
}
