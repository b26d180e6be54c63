// Package instances is the plugin behind Horizon's instances tables: nova's
// notifications about servers, in their legacy and their versioned format, made
// into panel messages of one shape.
//
//	project/<owner>/instances    what nova's API shows a tenant
//	admin/instances              the same, and host and node
package instances

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "instances", Grants: []string{"admin", "shared"},
		On:     []string{"compute.instance.*", "instance.*", "compute_task.*"},
		Start:  panel.Configure,
		Handle: handle,
	})
}

// server is where one of nova's two formats has what the table shows. What a
// format does not carry is a zero Field.
type server struct {
	id, name, state, task                      sdk.Field
	flavor, zone, key, power, locked           sdk.Field
	image, imageName, ips, created, launchedAt sdk.Field
	fault, message, host, node                 sdk.Field
}

var legacy = server{
	id: sdk.Want("/payload/instance_id"), name: sdk.Want("/payload/display_name"),
	state: sdk.Want("/payload/state"), task: sdk.Want("/payload/state_description"),
	flavor: sdk.Want("/payload/instance_type"), zone: sdk.Want("/payload/availability_zone"),
	image: sdk.Want("/payload/image_ref_url"), imageName: sdk.Want("/payload/image_name"),
	ips: sdk.Want("/payload/fixed_ips"), message: sdk.Want("/payload/message"),
	created: sdk.Want("/payload/created_at"), launchedAt: sdk.Want("/payload/launched_at"),
	host: sdk.Want("/payload/host"), node: sdk.Want("/payload/node"),
}

const (
	data    = "/payload/nova_object.data/"
	faultAt = data + "fault/nova_object.data/"
)

var versioned = server{
	id: sdk.Want(data + "uuid"), name: sdk.Want(data + "display_name"),
	state: sdk.Want(data + "state"), task: sdk.Want(data + "task_state"),
	flavor: sdk.Want(data + "flavor/nova_object.data/name"), zone: sdk.Want(data + "availability_zone"),
	key: sdk.Want(data + "key_name"), power: sdk.Want(data + "power_state"), locked: sdk.Want(data + "locked"),
	image: sdk.Want(data + "image_uuid"), ips: sdk.Want(data + "ip_addresses"), fault: sdk.Want(faultAt + "exception"),
	created: sdk.Want(data + "created_at"), launchedAt: sdk.Want(data + "launched_at"),
	host: sdk.Want(data + "host"), node: sdk.Want(data + "node"),
}

func handle(e *panel.Event) {
	f := &versioned
	event, ok := strings.CutPrefix(e.Type(), "instance.")
	if !ok {
		f = &legacy
		if event, ok = strings.CutPrefix(event, "compute.instance."); !ok {
			unscheduled(e)
			return
		}
	}
	id := e.Get(f.id).Text()
	state, task := e.Get(f.state), panel.TextOrNull(e.Get(f.task))
	if id == "" || !telling(event, task) {
		return
	}
	m := panel.Message{
		Topic: "instances", Kind: "server", ID: id,
		Action: action(event, state.Text()),
		Name:   e.Get(f.name), Status: status(state, task), Task: task,
		Error: fault(e, f, event, state),
	}
	d := panel.Begin(e, &m)
	columns(e, f, &d.Data)
	d.ToProject()
	d.Data.Value("host", e.Get(f.host))
	d.Data.Value("node", e.Get(f.node))
	d.ToAdmin()
}

// stale are events whose copy of the server may be older than what has been told
// already. The two hosts of a live migration tell of it side by side: the one that
// is left behind sends its last word, still migrating, after the other has said
// that all is done, and so may those who hurry or stop it.
var stale = [...]string{
	"live_migration._post.", "live_migration.rollback.dest.", "live.migration.abort.", "live.migration.force.complete.",
	"live_migration_post.", "live_migration_rollback_dest.", "live_migration_abort.", "live_migration_force_complete.",
}

// telling reports whether an event says anything about a row, and the truth.
func telling(event string, task sdk.Value) bool {
	switch event {
	case "exists": // the hourly audit, from a copy that may be old
		return false
	case "update", "create.start":
		return true
	}
	for _, begin := range stale {
		if strings.HasPrefix(event, begin) {
			return false
		}
	}
	// The start of something that is no task changes nothing yet.
	return !strings.HasSuffix(event, ".start") || task.Known()
}

// action tells what an event does to the table. A server that is gone, also
// softly, is not listed any more, whatever event says so first.
func action(event, state string) panel.Action {
	switch {
	case event == "delete.end", event == "soft_delete.end", state == "deleted", state == "soft-delete":
		return panel.Delete
	case event == "create.start", event == "restore.end":
		return panel.Create
	}
	return panel.Update
}

// columns writes what the table shows, in the order of its columns.
func columns(e *panel.Event, f *server, o *panel.Columns) {
	o.Value("image_id", imageID(e.Get(f.image)))
	o.Value("image_name", e.Get(f.imageName))
	addresses(o, e.GetList(f.ips))
	o.Value("flavor", e.Get(f.flavor))
	o.Value("key_name", e.Get(f.key))
	o.Value("availability_zone", e.Get(f.zone))
	o.Value("power_state", e.Get(f.power))
	o.Value("locked", e.Get(f.locked))
	panel.Time(o, "created_at", e.Get(f.created))
	panel.Time(o, "launched_at", e.Get(f.launchedAt))
}

// imageID takes the id out of the legacy format's URL. It is null if the
// server was started from a volume.
func imageID(image sdk.Value) sdk.Value {
	text := image.Text()
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		image = sdk.StringValue(text[i+1:])
	}
	return panel.TextOrNull(image)
}

// addresses writes the fixed addresses. The versioned format wraps each into an
// object of its own, and has no floating ones, so the legacy format's are left
// out here as well.
func addresses(o *panel.Columns, ips sdk.Value) {
	if ips = panel.Few(ips); ips.Kind() != sdk.KindArray {
		return
	}
	list := o.Array("addresses")
	for it := ips.Items(); it.Next(); {
		members := it.Value().Items()
		address, network := sdk.Value{}, sdk.Value{}
		for members.Next() {
			switch members.Key() {
			case "nova_object.data":
				members = members.Value().Items()
			case "address":
				address = members.Value()
			case "label":
				network = members.Value()
			}
		}
		each := list.Object()
		each.Value("address", address)
		each.Value("network", network)
	}
}
