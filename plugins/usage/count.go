package usage

import (
	"strconv"
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// The counters, in the order of names.
const (
	instances = iota
	cores
	memoryMB
	volumes
	gigabytes
	snapshots
	floatingIPs
	networks
	routers
	securityGroups
	count
)

var names = [count]string{
	"instances", "vcpus", "memory_mb", "volumes", "gigabytes", "snapshots",
	"floating_ips", "networks", "routers", "security_groups",
}

// counters are numbers of what is used, or by how much they changed.
type counters [count]int64

func (c *counters) add(d counters) {
	for i := range c {
		c[i] += d[i]
	}
}

func (c *counters) subtract(d counters) {
	for i := range c {
		c[i] -= d[i]
	}
}

// none reports whether all are zero. Comparing with zeros, Go does byte by byte.
func (c *counters) none() bool {
	var any int64
	for _, n := range c {
		any |= n
	}
	return any == 0
}

// text is how the store keeps counters; parse reads it.
func (c *counters) text(dst []byte) []byte {
	for _, n := range c {
		dst = append(strconv.AppendInt(dst, n, 10), ' ')
	}
	return dst
}

func parse(text string) (c counters) {
	for i := range c {
		word, rest, _ := strings.Cut(text, " ")
		c[i] = number(sdk.Parse(word))
		text = rest
	}
	return c
}

// sighting is what a notification says of whether something exists.
type sighting uint8

const (
	// is: it exists, and maybe did before the plugin first heard of it.
	is sighting = iota
	// appears: it is new.
	appears
	// goes: it is gone.
	goes
)

// tries is how often a change of the store is begun anew because another copy of
// the plugin was quicker. Notifications of one project mostly meet one copy.
const tries = 8

// follow keeps what is known of one resource, and gives by how much its
// project's usage changes. Whatever comes twice (from nova in both its formats,
// from RabbitMQ after an outage, at the start and the end of a creation) counts
// once. Ids are never used again, so what is gone stays gone.
//
// A resource that is first heard of as it is deleted was there before; one that
// is first heard of otherwise is only remembered, for the day it changes.
func follow(e *panel.Event, id sdk.Value, s sighting, uses counters) (change counters) {
	if id.Text() == "" || len(id.Text()) > 64 {
		return counters{}
	}
	key := known(id.Text())
	for range tries {
		before, version := e.KVGet(key)
		owner, numbers, _ := strings.Cut(before, " ")
		change = counters{}
		next := e.Project() + " "
		switch {
		case version != 0 && owner == gone:
			return counters{}
		case s == goes:
			if version != 0 {
				uses = parse(numbers)
			}
			change.subtract(uses)
			next = gone + " "
		case version == 0 && s == appears:
			change = uses
		case version == 0:
		case owner != e.Project():
			change = uses // it was given away
		default:
			change = uses
			change.subtract(parse(numbers))
			if change.none() {
				return counters{}
			}
		}
		if e.KVSwap(key, string(uses.text([]byte(next))), 0, version) {
			if version != 0 && owner != e.Project() {
				forget(e, owner)
			}
			return change
		}
	}
	return counters{}
}

// known is where the store has what is known of a resource.
func known(id string) string { return "of " + panel.Key(id) }

// gone stands where the owner of what exists does.
const gone = "-"

// forget makes a project's total begin anew.
func forget(e *panel.Event, project string) { e.KVDelete("sum " + project) }

// total adds to the project's total, and tells since when it is counted.
func total(e *panel.Event, project string, change counters) (sum counters, since string, ok bool) {
	key := "sum " + project
	for range tries {
		before, version := e.KVGet(key)
		from, numbers, _ := strings.Cut(before, " ")
		if version == 0 {
			from = e.Time()
		}
		sum = parse(numbers)
		sum.add(change)
		if e.KVSwap(key, string(sum.text([]byte(from+" "))), 0, version) {
			return sum, from, true
		}
	}
	return sum, "", false
}
