package auth

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

func pattern(t testing.TB, name string) event.Channel {
	t.Helper()
	ch, err := event.ParsePattern(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return ch
}

func patterns(t testing.TB, names ...string) []event.Channel {
	t.Helper()
	list := []event.Channel{}
	for _, name := range names {
		list = append(list, pattern(t, name))
	}
	return list
}

func TestMayHear(t *testing.T) {
	member := &Identity{User: "u1", Project: "p1"}
	admin := &Identity{User: "u1", Project: "p1", Admin: true}
	unscoped := &Identity{User: "u1"}
	nobody := &Identity{}
	narrow := func(names ...string) *Identity {
		return &Identity{User: "u1", Project: "p1", Channels: patterns(t, names...)}
	}
	for name, c := range map[string]struct {
		id      *Identity
		channel string
		want    error
	}{
		"no identity":                           {nil, "public/news", NoIdentity},
		"own project":                           {member, "project/p1/instances", nil},
		"own project, wildcard":                 {member, "project/p1/*", nil},
		"other project":                         {member, "project/p2/instances", OtherProject},
		"other project, wildcard":               {member, "project/p2/*", OtherProject},
		"project that starts like one's own":    {member, "project/p11/instances", OtherProject},
		"project in other case":                 {member, "project/P1/instances", OtherProject},
		"project with the user's id":            {member, "project/u1/instances", OtherProject},
		"own user":                              {member, "user/u1/keys", nil},
		"own user, wildcard":                    {member, "user/u1/*", nil},
		"other user":                            {member, "user/u2/keys", OtherUser},
		"user with the project's id":            {member, "user/p1/keys", OtherUser},
		"admin channel as member":               {member, "admin/instances", NotAdmin},
		"admin wildcard as member":              {member, "admin/*", NotAdmin},
		"admin channel as admin":                {admin, "admin/instances", nil},
		"admin wildcard as admin":               {admin, "admin/*", nil},
		"other project as admin":                {admin, "project/p2/instances", OtherProject},
		"other user as admin":                   {admin, "user/u2/*", OtherUser},
		"public":                                {member, "public/news", nil},
		"public wildcard":                       {member, "public/*", nil},
		"public without a project":              {unscoped, "public/news", nil},
		"project without a project":             {unscoped, "project/p1/instances", OtherProject},
		"user without a project":                {unscoped, "user/u1/keys", nil},
		"user without a user":                   {nobody, "user/u1/keys", OtherUser},
		"narrowed to one, that one":             {narrow("project/p1/instances"), "project/p1/instances", nil},
		"narrowed to one, another":              {narrow("project/p1/instances"), "project/p1/volumes", NotListed},
		"narrowed to one, the wildcard":         {narrow("project/p1/instances"), "project/p1/*", NotListed},
		"narrowed to a wildcard, one of it":     {narrow("project/p1/*"), "project/p1/volumes", nil},
		"narrowed to a wildcard, itself":        {narrow("project/p1/*"), "project/p1/*", nil},
		"narrowed to a wildcard, other group":   {narrow("project/p1/*"), "user/u1/keys", NotListed},
		"narrowed, public is not left":          {narrow("project/p1/*"), "public/news", NotListed},
		"narrowed to two, the second":           {narrow("project/p1/volumes", "public/*"), "public/news", nil},
		"narrowed to nothing":                   {narrow(), "public/news", NotListed},
		"a list cannot widen to a project":      {narrow("project/p2/*"), "project/p2/instances", OtherProject},
		"a list cannot widen to admin":          {narrow("admin/*"), "admin/instances", NotAdmin},
		"a list cannot widen to a user":         {narrow("user/u2/*"), "user/u2/keys", OtherUser},
		"listed public does not open a project": {narrow("public/*"), "project/p1/instances", NotListed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := MayHear(c.id, pattern(t, c.channel)); !errors.Is(got, c.want) {
				t.Fatalf("%s: %v, want %v", c.channel, got, c.want)
			}
		})
	}
}

// An empty id must not match an empty owner, even in channels that no parser made.
func TestHandMadeChannels(t *testing.T) {
	nobody, owned := &Identity{Admin: true}, &event.Notification{Project: "p1", User: "u1"}
	for name, ch := range map[string]event.Channel{
		"zero":           {},
		"empty project":  {Scope: event.ScopeProject, Topic: "x", Name: "project//x"},
		"empty user":     {Scope: event.ScopeUser, Topic: "x", Name: "user//x"},
		"no topic":       {Scope: event.ScopeAdmin, Name: "admin/"},
		"unknown scope":  {Scope: 200, Topic: "x", Name: "what/x"},
		"no scope":       {Topic: "x", Name: "x"},
		"empty wildcard": {Scope: event.ScopeProject, Topic: "*", Name: "project//*"},
	} {
		t.Run(name, func(t *testing.T) {
			if MayHear(nobody, ch) == nil {
				t.Error("heard")
			}
			all := event.GrantAdmin | event.GrantCrossProject
			if MayEmit(all, &event.Notification{}, ch) == nil || MayEmit(all, owned, ch) == nil {
				t.Error("emitted")
			}
		})
	}
}

// Tries every combination of grant, owner and channel.
func TestMayEmit(t *testing.T) {
	none, admin, cross := event.Grants(0), event.GrantAdmin, event.GrantCrossProject
	const (
		yes    = Refusal(0)
		noOwn  = NoOwner
		otherP = OtherProject
		otherU = OtherUser
	)
	channels := []string{"project/p1/x", "project/p2/x", "user/u1/x", "user/u2/x", "admin/x", "public/x"}
	for name, c := range map[string]struct {
		grants        event.Grants
		project, user string
		want          [6]Refusal
	}{
		"both owners":             {none, "p1", "u1", [6]Refusal{yes, otherP, yes, otherU, NotAdmin, NotPublic}},
		"both owners, admin":      {admin, "p1", "u1", [6]Refusal{yes, otherP, yes, otherU, yes, NotPublic}},
		"both owners, cross":      {cross, "p1", "u1", [6]Refusal{yes, yes, yes, yes, NotAdmin, yes}},
		"both owners, both":       {admin | cross, "p1", "u1", [6]Refusal{}},
		"project only":            {none, "p1", "", [6]Refusal{yes, otherP, otherU, otherU, NotAdmin, NotPublic}},
		"project only, admin":     {admin, "p1", "", [6]Refusal{yes, otherP, otherU, otherU, yes, NotPublic}},
		"project only, cross":     {cross, "p1", "", [6]Refusal{yes, yes, yes, yes, NotAdmin, yes}},
		"user only":               {none, "", "u1", [6]Refusal{otherP, otherP, yes, otherU, NotAdmin, NotPublic}},
		"user only, admin":        {admin, "", "u1", [6]Refusal{otherP, otherP, yes, otherU, yes, NotPublic}},
		"user only, cross":        {cross, "", "u1", [6]Refusal{yes, yes, yes, yes, NotAdmin, yes}},
		"no owner":                {none, "", "", [6]Refusal{noOwn, noOwn, noOwn, noOwn, NotAdmin, NotPublic}},
		"no owner, admin":         {admin, "", "", [6]Refusal{noOwn, noOwn, noOwn, noOwn, yes, NotPublic}},
		"no owner, cross":         {cross, "", "", [6]Refusal{yes, yes, yes, yes, NotAdmin, yes}},
		"no owner, both":          {admin | cross, "", "", [6]Refusal{}},
		"owners swapped":          {none, "u1", "p1", [6]Refusal{otherP, otherP, otherU, otherU, NotAdmin, NotPublic}},
		"owner's id as a prefix":  {none, "p", "u", [6]Refusal{otherP, otherP, otherU, otherU, NotAdmin, NotPublic}},
		"owner's id in capitals":  {none, "P1", "U1", [6]Refusal{otherP, otherP, otherU, otherU, NotAdmin, NotPublic}},
		"owner's id with a slash": {none, "p1/x", "u1/x", [6]Refusal{otherP, otherP, otherU, otherU, NotAdmin, NotPublic}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &event.Notification{Project: c.project, User: c.user}
			for i, channel := range channels {
				got, _ := MayEmit(c.grants, n, pattern(t, channel)).(Refusal)
				if got != c.want[i] {
					t.Errorf("%s: %v, want %v", channel, got, c.want[i])
				}
			}
			for _, wildcard := range []string{"project/p1/*", "user/u1/*", "admin/*", "public/*"} {
				if err := MayEmit(c.grants, n, pattern(t, wildcard)); err != NoChannel {
					t.Errorf("%s: %v", wildcard, err)
				}
			}
		})
	}
}

// TestScopeProperties states the promise again in terms of the channel's name,
// which is what travels. It tries random identities, notifications and channels
// over a small alphabet of ids.
func TestScopeProperties(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	ids := []string{"a", "b", "A", "aa", "a-", "admin", "public", "project"}
	owners := append([]string{""}, ids...)
	topics := []string{"x", "y", "admin", "*"}
	pick := func(list []string) string { return list[rnd.IntN(len(list))] }
	channel := func() event.Channel {
		name := []string{"project/" + pick(ids), "user/" + pick(ids), "admin", "public"}[rnd.IntN(4)]
		return pattern(t, name+"/"+pick(topics))
	}
	for range 200_000 {
		id := &Identity{User: pick(owners), Project: pick(owners), Admin: rnd.IntN(2) == 0}
		if rnd.IntN(2) == 0 {
			id.Channels = []event.Channel{}
			for range rnd.IntN(4) {
				id.Channels = append(id.Channels, channel())
			}
		}
		ch := channel()
		heard := MayHear(id, ch) == nil
		if want := hearsByName(id, ch.Name); heard != want {
			t.Fatalf("%+v hears %s: %v, want %v", id, ch.Name, heard, want)
		}
		if heard && ch.Wildcard() {
			one := pattern(t, ch.Group()+"/x")
			if err := MayHear(id, one); err != nil {
				t.Fatalf("%+v hears %s, but not %s: %v", id, ch.Name, one.Name, err)
			}
		}
		n := &event.Notification{Project: pick(owners), User: pick(owners)}
		grants := event.Grants(rnd.IntN(4))
		emitted := MayEmit(grants, n, ch) == nil
		if want := emitsByName(grants, n, ch.Name); emitted != want {
			t.Fatalf("%v, owners %q %q, to %s: %v, want %v", grants, n.Project, n.User, ch.Name, emitted, want)
		}
		// The promise itself: without cross_project, whoever hears what was
		// emitted outside admin/* is an owner.
		if emitted && heard && grants&event.GrantCrossProject == 0 && !strings.HasPrefix(ch.Name, "admin/") {
			if id.Project != n.Project && id.User != n.User {
				t.Fatalf("%+v hears %s of %q %q", id, ch.Name, n.Project, n.User)
			}
		}
	}
}

func hearsByName(id *Identity, name string) bool {
	in := func(prefix, own string) bool { return own != "" && strings.HasPrefix(name, prefix+own+"/") }
	if !in("project/", id.Project) && !in("user/", id.User) &&
		!strings.HasPrefix(name, "public/") && (!id.Admin || !strings.HasPrefix(name, "admin/")) {
		return false
	}
	if id.Channels == nil {
		return true
	}
	for _, l := range id.Channels {
		group, wild := strings.CutSuffix(l.Name, "*")
		if l.Name == name || wild && strings.HasPrefix(name, group) {
			return true
		}
	}
	return false
}

func emitsByName(grants event.Grants, n *event.Notification, name string) bool {
	cross := slices.Contains(grants.Names(), "cross_project")
	switch {
	case strings.HasSuffix(name, "*"):
		return false
	case strings.HasPrefix(name, "admin/"):
		return slices.Contains(grants.Names(), "admin")
	case cross:
		return true
	}
	return n.Project != "" && strings.HasPrefix(name, "project/"+n.Project+"/") ||
		n.User != "" && strings.HasPrefix(name, "user/"+n.User+"/")
}

func TestRefusals(t *testing.T) {
	seen := map[string]bool{}
	for r := NoIdentity; int(r) < len(refusals); r++ {
		if r.Error() == "" || r.Reason() == "" || seen[r.Reason()] {
			t.Errorf("refusal %d: %q %q", uint8(r), r.Reason(), r.Error())
		}
		seen[r.Reason()] = true
	}
	for _, r := range []Refusal{0, Refusal(len(refusals)), 255} {
		if r.Error() != "refused" || r.Reason() != "unknown" {
			t.Errorf("refusal %d: %q %q", uint8(r), r.Reason(), r.Error())
		}
	}
}

func TestHearable(t *testing.T) {
	for name, c := range map[string]struct {
		id   *Identity
		want string
	}{
		"member":    {&Identity{User: "u", Project: "p"}, "project/p/* user/u/* public/*"},
		"admin":     {&Identity{User: "u", Project: "p", Admin: true}, "project/p/* user/u/* admin/* public/*"},
		"no scope":  {&Identity{User: "u"}, "user/u/* public/*"},
		"odd ids":   {&Identity{User: "a@b", Project: "../x"}, "public/*"},
		"narrowed":  {&Identity{User: "u", Project: "p", Channels: patterns(t, "project/p/x", "admin/y")}, "project/p/x"},
		"to naught": {&Identity{User: "u", Project: "p", Channels: patterns(t)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(c.id.Hearable(), " "); got != c.want {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

// Both doors are on the hot path and allocate nothing, whatever they decide.
func TestDoorsAllocateNothing(t *testing.T) {
	id := &Identity{User: "u1", Project: "p1", Channels: patterns(t, "user/u1/*", "project/p1/*")}
	n := &event.Notification{Project: "p1"}
	own, other := pattern(t, "project/p1/x"), pattern(t, "project/p2/x")
	var kept error
	if got := testing.AllocsPerRun(1000, func() {
		kept = MayHear(id, own)
		kept = MayHear(id, other)
		kept = MayEmit(0, n, own)
		kept = MayEmit(0, n, other)
	}); got != 0 {
		t.Fatalf("%v allocations", got)
	}
	if kept != OtherProject {
		t.Fatal(kept)
	}
}

func BenchmarkMayHear(b *testing.B) {
	id := &Identity{User: "u1", Project: "p1", Channels: patterns(b, "user/u1/*", "public/*", "project/p1/*")}
	own, other := pattern(b, "project/p1/x"), pattern(b, "project/p2/x")
	b.ReportAllocs()
	for b.Loop() {
		if MayHear(id, own) != nil || MayHear(id, other) == nil {
			b.Fatal("wrong door")
		}
	}
}

func BenchmarkMayEmit(b *testing.B) {
	n := &event.Notification{Project: "0123456789abcdef0123456789abcdef"}
	own, other := pattern(b, "project/"+n.Project+"/x"), pattern(b, "project/0123456789abcdef0123456789abcdee/x")
	b.ReportAllocs()
	for b.Loop() {
		if MayEmit(0, n, own) != nil || MayEmit(0, n, other) == nil {
			b.Fatal("wrong door")
		}
	}
}
