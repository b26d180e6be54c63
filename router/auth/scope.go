package auth

import "horizon-realtime/router/event"

// Refusal is why MayHear or MayEmit said no. It is an error that costs nothing to
// return, compares with errors.Is, and has few values, so that Reason can label a
// metric.
type Refusal uint8

// Refusals of MayHear and MayEmit.
const (
	// NoIdentity: there is no identity.
	NoIdentity Refusal = iota + 1
	// NoChannel: ParseChannel or ParsePattern did not make this channel, or it is
	// a wildcard and a concrete channel is needed.
	NoChannel
	// OtherProject: the channel belongs to a project that is not the client's, or
	// does not own the resource.
	OtherProject
	// OtherUser: the channel belongs to a user who is not the client, or does not
	// own the resource.
	OtherUser
	// NotAdmin: admin/* without an admin role, or without the admin grant.
	NotAdmin
	// NotListed: the token is limited to other channels.
	NotListed
	// NoOwner: the notification names no owner, so it may go to admin/* only.
	NoOwner
	// NotPublic: public/* reaches every project and takes cross_project.
	NotPublic
	// OtherTopic: the topic is not one of the plugin's.
	OtherTopic
)

var refusals = [...]struct{ reason, text string }{
	NoIdentity:   {"no_identity", "there is no identity"},
	NoChannel:    {"no_channel", "this is not a channel"},
	OtherProject: {"other_project", "the channel belongs to another project; a plugin needs the grant cross_project for it"},
	OtherUser:    {"other_user", "the channel belongs to another user; a plugin needs the grant cross_project for it"},
	NotAdmin:     {"not_admin", "admin channels need a role of [auth] admin_roles to hear and the grant admin to emit"},
	NotListed:    {"not_listed", "the channel is not among those the token is limited to"},
	NoOwner:      {"no_owner", "the notification names no owner; without the grant cross_project it can only go to admin channels"},
	NotPublic:    {"not_public", "public channels reach every project; a plugin needs the grant cross_project for them"},
	OtherTopic:   {"other_topic", "a plugin emits to the topic of its own name; list others in [plugin.X] topics"},
}

// Error says what was refused and what would allow it. A client may see it.
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

// MayHear decides whether a client may subscribe to ch. A wildcard stays within
// its group, so the group decides.
//
//	project/<id>/…  the client's own project
//	user/<id>/…     the client itself; what belongs to a project is heard by
//	                sessions in that project (hub.Publication.Project)
//	admin/…         Identity.Admin
//	public/…        everybody with an identity
//
// Identity.Channels narrows that: ch must be listed, or belong to the group of a
// listed wildcard. MayHear allocates nothing.
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

// MayEmit decides whether a plugin with these grants may send what it made of n
// to ch. The owners named in the payload count, not the user who acted.
//
//	project/<id>/…  <id> owns the resource (n.Project), or cross_project
//	user/<id>/…     <id> owns the resource (n.User), or cross_project
//	admin/…         the grant admin, which cross_project does not imply
//	public/…        cross_project, because every project hears it
//
// If n names no owner, a plugin without cross_project can reach admin channels
// only. MayEmit allocates nothing.
//
// # Errors
//
// A Refusal.
func MayEmit(grants event.Grants, n *event.Notification, ch event.Channel) error {
	if ch.Topic == "" || ch.Wildcard() {
		return NoChannel
	}
	cross := grants&event.GrantCrossProject != 0
	switch ch.Scope {
	case event.ScopeProject:
		return owned(cross, n, ch.ID, n.Project, OtherProject)
	case event.ScopeUser:
		return owned(cross, n, ch.ID, n.User, OtherUser)
	case event.ScopeAdmin:
		if grants&event.GrantAdmin == 0 {
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
