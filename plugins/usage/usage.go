// Package usage is the plugin behind the rings of Horizon's overview: how much
// of its quota a project uses, as nova, cinder and neutron tell of what comes
// and goes.
//
//	project/<owner>/usage
//
// No service announces totals, so the plugin counts changes, in the router's
// store. Its message is a panel message with the project's id and these data:
//
//	{"since":"2026-11-23T10:00:00.123Z",
//	 "total":{"instances":2, "vcpus":3, … every counter, since then},
//	 "change":{"instances":1, "vcpus":1, … what this event changed}}
//
// A page that has drawn its rings keeps total minus change of the first message
// it hears, and from then on adds what total has more than that: the numbers are
// right although messages in between may have been left out. Where `since` is
// another one than before (the router was restarted, nothing happened for a day,
// or something cannot be counted, such as the snapshots of a volume that is given
// away), the page asks Horizon again. The project that gives a volume away hears of
// it with its next change. Ports are not counted: of those that neutron makes
// itself, for routers and DHCP, it does not tell.
package usage

import (
	"strconv"
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "usage", Grants: []string{"shared"},
		On: []string{
			"compute.instance.create.*", "compute.instance.update", "compute.instance.delete.end",
			"compute.instance.resize.*", "compute.instance.finish_resize.end",
			"instance.create.*", "instance.update", "instance.delete.end", "instance.resize_*",
			"volume.create.*", "volume.resize.*", "volume.delete.end", "volume.transfer.accept.*",
			"snapshot.create.*", "snapshot.delete.end",
			"floatingip.create.end", "floatingip.delete.end",
			"network.create.end", "network.delete.end",
			"router.create.end", "router.delete.end",
			"security_group.create.end", "security_group.delete.end",
		},
		Handle: handle,
	})
}

const data = "/payload/nova_object.data/"

// server is where one of nova's two formats has what counts.
type server struct{ id, vcpus, memory, state, oldState sdk.Field }

var (
	legacy = server{
		id: sdk.Want("/payload/instance_id"), vcpus: sdk.Want("/payload/vcpus"), memory: sdk.Want("/payload/memory_mb"),
		state: sdk.Want("/payload/state"), oldState: sdk.Want("/payload/old_state"),
	}
	versioned = server{
		id:    sdk.Want(data + "uuid"),
		vcpus: sdk.Want(data + "flavor/nova_object.data/vcpus"), memory: sdk.Want(data + "flavor/nova_object.data/memory_mb"),
		state: sdk.Want(data + "state"), oldState: sdk.Want(data + "state_update/nova_object.data/old_state"),
	}

	volumeID   = sdk.Want("/payload/volume_id")
	size       = sdk.Want("/payload/size")
	snapshotID = sdk.Want("/payload/snapshot_id")
	volumeSize = sdk.Want("/payload/volume_size")
)

func handle(e *panel.Event) {
	if e.Project() == "" {
		return
	}
	var change counters
	what, event, _ := strings.Cut(e.Type(), ".")
	switch what {
	case "compute":
		change = instance(e, &legacy, strings.TrimPrefix(event, "instance."))
	case "instance":
		change = instance(e, &versioned, event)
	case "volume":
		if event == "transfer.accept.start" {
			leaving(e)
			return
		}
		uses := counters{volumes: 1, gigabytes: number(e.Get(size))}
		change = follow(e, e.Get(volumeID), sighted(event), uses)
		if event == "transfer.accept.end" && !change.none() {
			forget(e, e.Project()) // its snapshots may have come along, of which cinder says nothing
		}
	case "snapshot":
		uses := counters{snapshots: 1, gigabytes: number(e.Get(volumeSize))}
		change = follow(e, e.Get(snapshotID), sighted(event), uses)
	default:
		change = network(e, what, sighted(event))
	}
	if !change.none() {
		tell(e, change)
	}
}

// instance counts a server. It appears in nova's database and quota before any
// host knows of it, which its first update tells; if it went into error
// without one, that update is all there is.
func instance(e *panel.Event, f *server, event string) counters {
	s := sighted(event)
	if event == "update" {
		state := e.Get(f.state).Text()
		if state != "building" && (state != "error" || e.Get(f.oldState).Text() != "building") {
			return counters{}
		}
		s = appears
	}
	return follow(e, e.Get(f.id), s, counters{
		instances: 1, cores: number(e.Get(f.vcpus)), memoryMB: number(e.Get(f.memory)),
	})
}

// leaving is the last that the old owner of a volume hears of it: somebody accepts
// its transfer, and maybe that of its snapshots, and may still fail. So the count
// begins anew, and pages ask.
func leaving(e *panel.Event) {
	e.KVDelete(known(e.Get(volumeID).Text()))
	forget(e, e.Project())
	tell(e, counters{})
}

// network counts something of neutron's, or several that were created at once.
func network(e *panel.Event, what string, s sighting) (change counters) {
	var one counters
	for i, name := range [...]string{"floatingip", "network", "router", "security_group"} {
		if name == what {
			one[floatingIPs+i] = 1
		}
	}
	for _, at := range [...]string{"/payload/" + what + "/id", "/payload/" + what + "_id"} {
		if id := e.Field(at); id.Known() {
			return follow(e, id, s, one)
		}
	}
	at := "/payload/" + what + "s/"
	if e.Field(at + strconv.Itoa(panel.MaxAtOnce) + "/id").Known() {
		// To count so many takes too long. The count begins anew, and pages ask.
		forget(e, e.Project())
		tell(e, change)
		return change
	}
	for i := range panel.MaxAtOnce {
		id := e.Field(at + strconv.Itoa(i) + "/id")
		if !id.Known() {
			break
		}
		change.add(follow(e, id, s, one))
	}
	return change
}

// sighted reads the end of an event type.
func sighted(event string) sighting {
	switch {
	case strings.HasPrefix(event, "create."), event == "transfer.accept.end":
		return appears
	case event == "delete.end":
		return goes
	}
	return is
}

func number(v sdk.Value) int64 {
	n, _ := v.Int()
	return n
}

// tell adds the change to the project's total and sends both.
func tell(e *panel.Event, change counters) {
	project := e.Project()
	total, since, ok := total(e, project, change)
	if !ok {
		return
	}
	m := panel.Message{Topic: "usage", Kind: "usage", Action: panel.Update, ID: project}
	d := panel.Begin(e, &m)
	d.Data.String("since", since)
	all := d.Data.Object("total")
	for i, name := range names {
		all.Int(name, total[i])
	}
	some := d.Data.Object("change")
	for i, name := range names {
		if change[i] != 0 {
			some.Int(name, change[i])
		}
	}
	d.ToProject()
}
