package auth

import (
	"strings"
	"sync"
	"time"

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

// sweepPause is the least time between two checks of everybody. Some of Keystone's
// notifications do not say who is affected, and any domain's admin can cause them.
const sweepPause = 10 * time.Second

// Revocation says which identities must be revalidated, and when.
type Revocation struct {
	// Matches reports whether an identity is among them.
	Matches func(*Identity) bool
	// At is when: at once, or a few seconds later if everybody has just been
	// checked.
	At time.Time
}

// Revocation reads one of Keystone's notifications. It reports false if the
// notification revokes nothing. What the Authenticator remembers about the
// identities that match counts no longer than until At. It does not keep n.
//
// If Keystone does not say who is affected (the members of a group, the holders of
// a role), every identity with a Keystone token is, at most every sweepPause.
func (a *Authenticator) Revocation(n *event.Notification) (r Revocation, ok bool) {
	c := readChange(n)
	switch {
	case c.everybody && a.keystone != nil:
		r = Revocation{byKeystone, a.sweeps.next(a.now())}
	case c.id != "":
		r = Revocation{func(id *Identity) bool { return id.dependsOn(c.id) }, a.now()}
	default:
		return Revocation{}, false
	}
	if a.jwt != nil && c.deleted {
		a.jwt.deleted.add(c.id)
	}
	if a.keystone != nil {
		a.keystone.cache.revoke(r)
	}
	return r, true
}

func byKeystone(id *Identity) bool { return id.proof != nil && id.proof.method == methodKeystone }

// sweeps spaces the checks of everybody.
type sweeps struct {
	mu   sync.Mutex
	last time.Time // the latest one, which may be still to come
}

// next is when everybody is checked after a change that comes now.
func (s *sweeps) next(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.After(now) {
		s.last = s.last.Add(sweepPause)
		if s.last.Before(now) {
			s.last = now
		}
	}
	return s.last
}

// change is what one of Keystone's notifications says about existing identities.
type change struct {
	id        string // those that depend on this are affected; empty: none
	deleted   bool   // that is a user, project or domain which is no more
	everybody bool   // Keystone does not say whom it affects
}

func readChange(n *event.Notification) change {
	what, ok := strings.CutPrefix(n.Type, "identity.")
	dot := strings.LastIndexByte(what, '.')
	if !ok || dot < 0 {
		return change{}
	}
	what, action := what[:dot], what[dot+1:]
	if action != "updated" && action != "deleted" && action != "disabled" && what != "role_assignment" {
		return change{}
	}
	switch what {
	case "user", "project", "domain":
		return change{id: subjectOf(n), deleted: action == "deleted"}
	case "OS-TRUST:trust", "application_credential":
		return change{id: subjectOf(n)}
	case "group":
		if n.Get(atActorIs).Text() == "user" {
			return change{id: n.Get(atActor).Text()}
		}
		return change{everybody: true}
	case "role":
		return change{everybody: action == "deleted"}
	case "role_assignment":
		return changedAssignment(n, action)
	}
	return change{}
}

func changedAssignment(n *event.Notification, action string) change {
	if user := n.Get(atUser).Text(); user != "" {
		return change{id: user}
	}
	if action != "deleted" {
		// A group gained a role. Its members can wait for that.
		return change{}
	}
	if project := n.Get(atProject).Text(); project != "" && n.Get(atGroup).Text() != "" {
		return change{id: project}
	}
	return change{everybody: true}
}

func subjectOf(n *event.Notification) string {
	if id := n.Get(atResource).Text(); id != "" {
		return id
	}
	return n.Get(atTarget).Text()
}
