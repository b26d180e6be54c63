package auth

import "horizon-realtime/router/event"

// Refusal is why a door stayed shut. It is an error that costs nothing to
// return, a comparable value for errors.Is, and a small closed set for a
// metric's label (Reason).
type Refusal uint8

// Refusals of MayHear and MayEmit.
const (
	// NoIdentity: nobody is asking.
	NoIdentity Refusal = iota + 1
	// NoChannel: not a channel that ParseChannel or ParsePattern made, or a
	// wildcard where a concrete channel is needed.
	NoChannel
	// OtherProject: the project is not the client's, or not the resource's.
	OtherProject
	// OtherUser: the user is not the client, or not the resource's.
	OtherUser
	// NotAdmin: admin/* without an admin role, or without the admin grant.
	NotAdmin
	// NotListed: the token names the channels it is good for; not this one.
	NotListed
	// NoOwner: the notification names no owner, so only admin/* can have it.
	NoOwner
	// NotPublic: public/* reaches every project.
	NotPublic
)

var refusals = [...]struct{ reason, text string }{
	NoIdentity:   {"no_identity", "there is no identity to decide for"},
	NoChannel:    {"no_channel", "this is not a channel"},
	OtherProject: {"other_project", "the channel belongs to another project; a filter needs the grant cross_project for it"},
	OtherUser:    {"other_user", "the channel belongs to another user; a filter needs the grant cross_project for it"},
	NotAdmin:     {"not_admin", "admin channels need a role of [auth] admin_roles to hear and the grant admin to emit"},
	NotListed:    {"not_listed", "the channel is not among those the token is limited to"},
	NoOwner:      {"no_owner", "the notification names no owner; without the grant cross_project it can only go to admin channels"},
	NotPublic:    {"not_public", "public channels reach every project; a filter needs the grant cross_project for them"},
}

// Error says what was refused, and what would allow it. It holds nothing that a
// client must not see.
func (r Refusal) Error() string {
	if int(r) >= len(refusals) || r == 0 {
		return "refused"
	}
	return refusals[r].text
}

// Reason is the refusal as a metric's label.
func (r Refusal) Reason() string {
	if int(r) >= len(refusals) || r == 0 {
		return "unknown"
	}
	return refusals[r].reason
}

// MayHear tells whether the client may subscribe to ch, which may be a wildcard:
// a wildcard stays within its group, and the group is judged.
//
//	project/<id>/…  the client's own project
//	user/<id>/…     the client itself
//	admin/…         Identity.Admin
//	public/…        everybody who is somebody
//
// Identity.Channels narrows that further: ch must be listed, or be in a listed
// wildcard's group. It allocates nothing.
//
// # Errors
//
// A Refusal.
func MayHear(id *Identity, ch event.Channel) error {
	if id == nil {
		return NoIdentity
	}
	if ch.Topic == "" {
		return NoChannel
	}
	switch ch.Scope {
	case event.ScopeProject:
		if ch.ID == "" || ch.ID != id.Project {
			return OtherProject
		}
	case event.ScopeUser:
		if ch.ID == "" || ch.ID != id.User {
			return OtherUser
		}
	case event.ScopeAdmin:
		if !id.Admin {
			return NotAdmin
		}
	case event.ScopePublic:
	default:
		return NoChannel
	}
	if id.Channels != nil && !listed(id.Channels, ch) {
		return NotListed
	}
	return nil
}

func listed(list []event.Channel, ch event.Channel) bool {
	for i := range list {
		l := &list[i]
		if l.Scope == ch.Scope && l.ID == ch.ID && (l.Wildcard() || l.Topic == ch.Topic) {
			return true
		}
	}
	return false
}

// MayEmit tells whether a filter with these grants may send what it made of n to
// ch. Only the owners that the payload names count, not who acted.
//
//	project/<id>/…  <id> owns the resource (n.Project), or cross_project
//	user/<id>/…     <id> owns the resource (n.User), or cross_project
//	admin/…         the grant admin; cross_project does not imply it
//	public/…        cross_project: every project hears it
//
// Where n names no owner, admin channels are all that is left without
// cross_project. It allocates nothing, whatever it answers.
//
// # Errors
//
// A Refusal.
func MayEmit(grants Grants, n *event.Notification, ch event.Channel) error {
	if ch.Topic == "" || ch.Wildcard() {
		return NoChannel
	}
	cross := grants&GrantCrossProject != 0
	switch ch.Scope {
	case event.ScopeProject:
		return owned(cross, n, ch.ID, n.Project, OtherProject)
	case event.ScopeUser:
		return owned(cross, n, ch.ID, n.User, OtherUser)
	case event.ScopeAdmin:
		if grants&GrantAdmin == 0 {
			return NotAdmin
		}
		return nil
	case event.ScopePublic:
		if !cross {
			return NotPublic
		}
		return nil
	}
	return NoChannel
}

func owned(cross bool, n *event.Notification, id, owner string, other Refusal) error {
	switch {
	case id == "":
		return NoChannel
	case cross || id == owner:
		return nil
	case n.Project == "" && n.User == "":
		return NoOwner
	}
	return other
}
