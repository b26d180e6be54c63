package demo

import (
	"strings"
	"time"
)

// server is one instance as nova knows it. Its states are nova's own
// (vm_state, task_state), not those the API shows.
type server struct {
	id, name, reservation string
	number                int // nova's row id: instance-0000002a
	project               *Project
	flavor                *flavor
	image                 *image
	keyName               string // "" for none
	host                  string // "" until scheduled
	vmState, task         string // task "" for none
	power                 string // as versioned notifications spell it
	ip, mac, port         string // ip "" until networking is done
	created               time.Time
	launched, terminated  time.Time
	deleted, updated      time.Time
	background            bool      // launched by the background life, not by a visitor
	told                  time.Time // when the last notification about it was made
}

// apiStatus is the status that nova's API, and so Horizon, shows: nova's
// _STATE_MAP, as far as the simulated states go.
func (s *server) apiStatus() string {
	switch s.vmState {
	case "building":
		return "BUILD"
	case "stopped":
		return "SHUTOFF"
	case "active":
		if strings.HasSuffix(s.task, "_hard") {
			return "HARD_REBOOT"
		}
		if strings.HasPrefix(s.task, "reboot") {
			return "REBOOT"
		}
	}
	return strings.ToUpper(s.vmState)
}

// idle reports whether nothing is being done to the server.
func (s *server) idle() bool {
	return s.task == "" && s.vmState != "building" && s.vmState != "deleted"
}

// action is a change of a server's state that nova makes in four steps: the API
// sets the task, the compute host says that it starts, sets the new state, and
// says that it has finished.
type action struct {
	name     string // as in the event types
	from, to string // vm_state
	task     string
	power    string // power state afterwards
	took     time.Duration
	elevated bool // nova-compute elevates the context of these notifications
}

var actions = map[string]action{
	"suspend": {"suspend", "active", "suspended", "suspending", "shutdown", 1500 * time.Millisecond, true},
	"resume":  {"resume", "suspended", "active", "resuming", "running", 1800 * time.Millisecond, true},
	"pause":   {"pause", "active", "paused", "pausing", "paused", 500 * time.Millisecond, true},
	"unpause": {"unpause", "paused", "active", "unpausing", "running", 400 * time.Millisecond, true},
	"stop":    {"power_off", "active", "stopped", "powering-off", "shutdown", 2 * time.Second, false},
	"start":   {"power_on", "stopped", "active", "powering-on", "running", 1600 * time.Millisecond, false},
}

// change sets the state and tells of it as compute.instance.update.
func (c *Cloud) change(s *server, request, publisher, vmState, task string) {
	before := states{s.vmState, s.task}
	s.vmState, s.task = vmState, task
	s.updated = c.now()
	c.tellUpdate(s, request, publisher, before)
}

// boot is a server's way from nova-api's answer to running.
func (c *Cloud) boot(s *server, request string) {
	host := computeHosts[s.number%len(computeHosts)]
	compute := "compute." + host
	start := c.script(s)
	start.then(150*time.Millisecond, func() { c.change(s, request, "conductor."+apiHost, "building", "scheduling") })
	start.then(250*time.Millisecond, func() {
		c.change(s, request, compute, "building", "")
		c.tellEvent(s, request, compute, "create.start", false)
	})
	start.then(300*time.Millisecond, func() {
		s.host = host
		c.change(s, request, compute, "building", "")
	})
	start.then(350*time.Millisecond, func() { c.change(s, request, compute, "building", "networking") })
	start.then(900*time.Millisecond, func() { c.change(s, request, compute, "building", "block_device_mapping") })
	start.then(200*time.Millisecond, func() { c.change(s, request, compute, "building", "spawning") })
	start.then(2600*time.Millisecond, func() {
		s.ip, s.mac, s.port = c.address(s.project), newMAC(), newUUID()
		s.power, s.launched = "running", c.now()
		c.change(s, request, compute, "active", "")
		c.tellEvent(s, request, compute, "create.end", false)
	})
}

// perform starts one of the actions. The caller has checked that it is allowed.
func (c *Cloud) perform(s *server, a action, request string) {
	compute := "compute." + s.host
	c.change(s, request, "compute."+apiHost, s.vmState, a.task)
	start := c.script(s)
	start.then(120*time.Millisecond, func() { c.tellEvent(s, request, compute, a.name+".start", a.elevated) })
	start.then(a.took, func() {
		s.power = a.power
		c.change(s, request, compute, a.to, "")
		c.tellEvent(s, request, compute, a.name+".end", a.elevated)
	})
}

// reboot is a soft reboot, which goes through three tasks.
func (c *Cloud) reboot(s *server, request string) {
	compute := "compute." + s.host
	c.change(s, request, "compute."+apiHost, "active", "rebooting")
	start := c.script(s)
	start.then(200*time.Millisecond, func() {
		s.task = "reboot_pending"
		c.tellEvent(s, request, compute, "reboot.start", true)
		s.task = "rebooting"
		c.change(s, request, compute, "active", "reboot_pending")
	})
	start.then(300*time.Millisecond, func() { c.change(s, request, compute, "active", "reboot_started") })
	start.then(2200*time.Millisecond, func() {
		c.change(s, request, compute, "active", "")
		c.tellEvent(s, request, compute, "reboot.end", true)
	})
}

// remove deletes the server, whatever it is doing: what it was doing stops.
func (c *Cloud) remove(s *server, request string) {
	compute := "compute." + s.host
	if s.host == "" {
		compute = "compute." + apiHost
	}
	c.change(s, request, "compute."+apiHost, s.vmState, "deleting")
	start := c.script(s)
	start.then(150*time.Millisecond, func() {
		c.tellEvent(s, request, compute, "delete.start", false)
		c.tellEvent(s, request, compute, "shutdown.start", true)
	})
	start.then(1400*time.Millisecond, func() {
		s.ip = ""
		c.tellEvent(s, request, compute, "shutdown.end", true)
		s.power, s.terminated = "pending", c.now()
		c.change(s, request, compute, "deleted", "")
		s.deleted = c.now()
		c.tellEvent(s, request, compute, "delete.end", false)
		c.forget(s)
	})
}
