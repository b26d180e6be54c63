package hub

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a user's channels tell of a project is heard in this project only, however
// it is heard: live, recovered, or asked for. The test tells a hub and a plain list
// the same, and compares what subscribers hear.
func TestUserChannelsStayWithinTheProject(t *testing.T) {
	projects := []string{"", "p1", "p2", "p", "p11"}
	channels := []string{"user/u1/a", "user/u1/b", "user/u1/c"} // one group, whose order is the order of the calls
	patterns := append([]string{"user/u1/*", "user/u1/*"}, channels...)
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		pick := func(list []string) string { return list[rnd.IntN(len(list))] }
		h, s := still(DefaultConfig())
		epoch, _ := h.Position()
		var told []Publication // number i has the offset i+1
		type listener struct {
			ear  *ear
			sub  *Subscription
			want []string
		}
		var listeners, gone []*listener
		hears := func(sub *Subscription, p Publication) bool {
			group, wild := strings.CutSuffix(sub.Channel.Name, "*")
			return (p.Channel.Name == sub.Channel.Name || wild && strings.HasPrefix(p.Channel.Name, group)) &&
				(p.Project == "" || p.Project == sub.Project)
		}
		for range 400 {
			switch n := rnd.IntN(10); {
			case n < 6:
				p := publication(t, pick(channels), fmt.Sprintf(`"%d"`, len(told)+1))
				p.Project = pick(projects)
				told = append(told, p)
				h.Publish(p)
				for _, l := range listeners {
					if hears(l.sub, p) {
						l.want = append(l.want, string(p.Data))
					}
				}
			case n < 9:
				l := &listener{ear: newEar(), sub: &Subscription{
					Channel: pattern(t, pick(patterns)), Project: pick(projects), Recover: true, Epoch: epoch, Offset: uint64(rnd.IntN(len(told) + 1)),
				}}
				l.sub.To = l.ear
				for _, p := range told[l.sub.Offset:] {
					if hears(l.sub, p) {
						l.want = append(l.want, string(p.Data))
					}
				}
				s.drain() // so that the position is not ahead of the hub's
				h.Subscribe(l.sub, 1)
				listeners = append(listeners, l)
			case len(listeners) > 0:
				i := rnd.IntN(len(listeners))
				h.Unsubscribe(listeners[i].sub, 1)
				gone = append(gone, listeners[i])
				listeners = slices.Delete(listeners, i, i+1)
			}
			if rnd.IntN(5) == 0 {
				s.drain()
				s.checkInvariants(t)
			}
		}
		s.drain()
		s.checkInvariants(t)
		for _, l := range append(gone, listeners...) {
			if diff := cmp.Diff(l.want, l.ear.heard(t)); diff != "" {
				t.Fatalf("seed %d, %s in %q from %d: %s", seed, l.sub.Channel.Name, l.sub.Project, l.sub.Offset, diff)
			}
		}
		for _, project := range projects {
			var want []string
			for _, p := range told {
				if hears(&Subscription{Channel: pattern(t, channels[0]), Project: project}, p) && p.Channel.Name == channels[0] {
					want = append(want, string(p.Data))
				}
			}
			h.Inspect(pattern(t, channels[0]), func(v *View) {
				forward, _, _, err := v.History(Query{Limit: -1, Room: 1 << 20, Project: project})
				if diff := cmp.Diff(want, data(t, forward)); diff != "" || err != nil {
					t.Errorf("history in %q: %v %s", project, err, diff)
				}
				slices.Reverse(want)
				backward, _, _, err := v.History(Query{Limit: -1, Room: 1 << 20, Project: project, Reverse: true})
				if diff := cmp.Diff(want, data(t, backward)); diff != "" || err != nil {
					t.Errorf("history in %q, backward: %v %s", project, err, diff)
				}
			})
			s.drain()
		}
	}
}

// In all other channels the project says nothing.
func TestProjectMattersInUserChannelsOnly(t *testing.T) {
	h, s := still(DefaultConfig())
	for _, name := range []string{"project/p2/a", "admin/a", "public/a"} {
		e := newEar()
		h.Subscribe(&Subscription{Channel: pattern(t, name), Project: "p1", To: e}, 1)
		p := publication(t, name, `1`)
		p.Project = "p2"
		h.Publish(p)
		s.drain()
		if len(e.lines) != 1 {
			t.Errorf("%s: %q", name, e.lines)
		}
	}
}

// heard is the data of all that was recovered and delivered.
func (e *ear) heard(t *testing.T) []string {
	t.Helper()
	all := data(t, e.answers[0].Publications)
	if !e.answers[0].Recovered {
		t.Fatal("not recovered")
	}
	for _, line := range e.lines {
		var push struct{ Push struct{ Pub json.RawMessage } }
		if err := json.Unmarshal([]byte(line), &push); err != nil {
			t.Fatal(err)
		}
		all = append(all, data(t, push.Push.Pub)...)
	}
	return all
}

// data is the data of publications that are joined by commas.
func data(t *testing.T, publications []byte) (all []string) {
	t.Helper()
	var list []struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte("["+string(publications)+"]"), &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		all = append(all, string(p.Data))
	}
	return all
}
