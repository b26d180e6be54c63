package demo

import (
	"math/rand/v2"
	"time"
)

// The background life works on servers it launched itself (or found), never on
// a visitor's, and leaves this many places of a project's quota free.
const roomForVisitors = 6

// SetLife switches the background life on or off, if Options.Life allows it.
func (c *Cloud) SetLife(on bool) {
	c.alive.Store(on && c.opts.Life > 0)
}

// Alive reports whether the background life is on.
func (c *Cloud) Alive() bool {
	return c.alive.Load()
}

// scheduleLife plans the next event of the background life, between half and
// one and a half of the average time from now.
func (c *Cloud) scheduleLife() {
	after := time.Duration((0.5 + rand.Float64()) * float64(c.opts.Life))
	c.schedule(time.Now().Add(after), func() {
		if c.alive.Load() {
			c.live(&Projects[rand.IntN(len(Projects))])
		}
		c.scheduleLife()
	})
}

// live lets something happen in the project.
func (c *Cloud) live(p *Project) {
	all := c.of(p)
	var mine []*server
	for _, s := range all {
		if s.background && s.idle() {
			mine = append(mine, s)
		}
	}
	if len(mine) == 0 || len(mine) < 3 && rand.IntN(3) == 0 {
		if len(all) < c.opts.MaxServers-roomForVisitors || len(all) == 0 {
			if s, err := c.newServer(p, "", "", ""); err == nil {
				s.background = true
				c.boot(s, newRequestID())
			}
		}
		return
	}
	s := mine[rand.IntN(len(mine))]
	switch request := newRequestID(); s.vmState {
	case "active":
		switch n := rand.IntN(8); {
		case n == 0 && len(mine) > 1:
			c.remove(s, request)
		case n < 3:
			c.reboot(s, request)
		default:
			c.perform(s, actions[[]string{"suspend", "pause", "stop"}[n%3]], request)
		}
	case "suspended":
		c.perform(s, actions["resume"], request)
	case "paused":
		c.perform(s, actions["unpause"], request)
	case "stopped":
		c.perform(s, actions["start"], request)
	}
}
