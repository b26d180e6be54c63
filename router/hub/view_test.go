package hub

import (
	"errors"
	"testing"
)

// TestHistoryOfAForgottenChannel: a position is refused from which something may
// be missing, also where the hub does not know the channel any more.
func TestHistoryOfAForgottenChannel(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Channels = 1
	h, s := still(cfg)
	for _, channel := range []string{"project/p/a", "project/p/b", "project/q/a"} { // each forgets the one before
		h.Publish(publication(t, channel, `1`))
	}
	s.drain()
	for channel, want := range map[string]struct {
		after uint64
		err   error
	}{
		"project/p/a": {1, ErrPosition},
		"project/p/b": {1, ErrPosition},
		"project/q/a": {2, nil},
		"project/x/y": {1, ErrPosition},
		"project/x/z": {2, nil},
	} {
		asked := false
		h.Inspect(publication(t, channel, `1`).Channel, func(v *View) {
			asked = true
			if _, _, top, err := v.History(Query{After: want.after, Limit: -1, Room: 1000}); !errors.Is(err, want.err) || top != 3 {
				t.Errorf("%s after %d: top %d, %v", channel, want.after, top, err)
			}
		})
		s.drain()
		if !asked {
			t.Errorf("%s: not asked", channel)
		}
	}
	// There is no more than there is room for, and no half of a publication.
	h.Inspect(publication(t, "project/q/a", `1`).Channel, func(v *View) {
		if p, _, _, err := v.History(Query{Limit: -1, Room: 10}); len(p) > 0 || !errors.Is(err, ErrRoom) {
			t.Errorf("%q, %v in ten bytes", p, err)
		}
		if n := v.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
	s.drain()
}
