package auth

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/event"
)

// Where Keystone's notifications say what changed, in its own format and in
// CADF. A role assignment's target is an id made up for the occasion; user,
// group and project stand beside it (keystone/notifications.py).
var (
	atResource = pointer("/payload/resource_info")
	atTarget   = pointer("/payload/target/id")
	atUser     = pointer("/payload/user")
	atGroup    = pointer("/payload/group")
	atProject  = pointer("/payload/project")
	atActor    = pointer("/payload/actor_id")
	atActorIs  = pointer("/payload/actor_type")
)

func pointer(s string) event.Pointer {
	p, err := event.ParsePointer(s)
	if err != nil {
		panic(err)
	}
	return p
}

// Affected tells whom one of Keystone's notifications may concern: a function
// that tells whether an identity has to be revalidated at once, or nil where the
// notification concerns none. What the Authenticator remembers about them is
// forgotten before Affected returns. The notification is not kept.
//
// Where Keystone does not say who is concerned (the members of a group, the
// holders of a role), everybody whose token is Keystone's is.
func (a *Authenticator) Affected(n *event.Notification) func(*Identity) bool {
	match, deleted := whom(n)
	if match == nil {
		return nil
	}
	if a.jwt != nil && deleted != "" {
		a.jwt.gone.add(deleted)
	}
	if a.keystone != nil {
		a.keystone.cache.drop(match)
	}
	return match
}

// whom reads the notification. deleted is the id of a user, project or domain
// that is no more.
func whom(n *event.Notification) (match func(*Identity) bool, deleted string) {
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
		return concerning(id), deleted
	case "OS-TRUST:trust", "application_credential":
		return concerning(subjectOf(n)), ""
	case "group":
		if n.Get(atActorIs).Text() == "user" {
			return concerning(n.Get(atActor).Text()), ""
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
		return concerning(user)
	}
	if action != "deleted" {
		// A group was given something: its members can wait for that.
		return nil
	}
	project := n.Get(atProject).Text()
	if n.Get(atGroup).Text() != "" && project != "" {
		return concerning(project)
	}
	return byKeystone
}

func subjectOf(n *event.Notification) string {
	if id := n.Get(atResource).Text(); id != "" {
		return id
	}
	return n.Get(atTarget).Text()
}

func concerning(keystoneID string) func(*Identity) bool {
	if keystoneID == "" {
		return nil
	}
	return func(id *Identity) bool { return id.concerned(keystoneID) }
}

func byKeystone(id *Identity) bool { return id.proof != nil && id.proof.method == methodKeystone }

// maxGraves bounds how many deleted ids are remembered.
const maxGraves = 10000

// graves remembers which users, projects and domains were deleted, and when. A
// JWT cannot be recalled; this keeps one from outliving its owner. It is lost
// with the process, and then a token's own end is all there is.
type graves struct {
	metric *metrics
	now    func() time.Time

	mu    sync.RWMutex
	when  map[string]time.Time
	order *list.List // of string, oldest first
}

func newGraves(m *metrics, now func() time.Time) *graves {
	return &graves{metric: m, now: now, when: map[string]time.Time{}, order: list.New()}
}

func (g *graves) add(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.when[id]; !known {
		if g.order.Len() >= maxGraves {
			g.metric.limit(limitGone)
			delete(g.when, g.order.Remove(g.order.Front()).(string))
		}
		g.order.PushBack(id)
	}
	g.when[id] = g.now()
}

// covers tells whether id was deleted and a token issued then (nil: nobody
// knows when) is from before.
func (g *graves) covers(id string, issued *jwt.NumericDate) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	when, deleted := g.when[id]
	return deleted && (issued == nil || !issued.After(when))
}
