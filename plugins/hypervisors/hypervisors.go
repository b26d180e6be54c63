// Package hypervisors is the plugin behind the admin tables of nova's own: its
// services, its host aggregates, its flavors, and the load of its hypervisors.
//
//	admin/services       nova's services: needs versioned notifications, as nova has no other
//	admin/flavors        flavors, likewise
//	admin/aggregates     host aggregates, in both formats
//	admin/hypervisors    a hint that a hypervisor's numbers have changed, because a
//	                     server came, went or changed its size; nova tells no numbers
//
// Everything here is about the cloud's machines, and for admins.
package hypervisors

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "hypervisors", Grants: []string{"admin", "shared"},
		Topics: []string{"hypervisors", "services", "aggregates", "flavors"},
		On: []string{
			"service.create", "service.update", "service.delete",
			"flavor.create", "flavor.update", "flavor.delete",
			"aggregate.create.end", "aggregate.delete.end",
			"aggregate.add_host.end", "aggregate.addhost.end",
			"aggregate.remove_host.end", "aggregate.removehost.end",
			"aggregate.update_metadata.end", "aggregate.updatemetadata.end",
			"aggregate.update_prop.end", "aggregate.updateprop.end",
			"instance.create.end", "compute.instance.create.end",
			"instance.delete.end", "compute.instance.delete.end",
			"instance.resize_finish.end", "compute.instance.finish_resize.end",
			"instance.resize_confirm.end", "compute.instance.resize.confirm.end",
			"instance.resize_revert.end", "compute.instance.resize.revert.end",
			"instance.live_migration_post.end", "compute.instance.live_migration._post.end",
			"instance.live_migration_post_dest.end", "compute.instance.live_migration.post.dest.end",
			"instance.shelve_offload.end", "compute.instance.shelve_offload.end",
			"instance.unshelve.end", "compute.instance.unshelve.end",
			"instance.rebuild.end", "compute.instance.rebuild.end", // to here, from a host that is down
		},
		Handle: handle,
	})
}

const data = "/payload/nova_object.data/"

var (
	name       = sdk.Want(data + "name")
	uuid       = sdk.Want(data + "uuid")
	host       = sdk.Want(data + "host")
	node       = sdk.Want(data + "node")
	legacyHost = sdk.Want("/payload/host")
	legacyNode = sdk.Want("/payload/node")
	number     = sdk.Want(data + "id")
	hosts      = sdk.Want(data + "hosts")
	metadata   = sdk.Want(data + "metadata")
	legacyID   = sdk.Want("/payload/aggregate_id")
	legacyName = sdk.Want("/payload/name")
	legacyMeta = sdk.Want("/payload/meta_data")
	binary     = sdk.Want(data + "binary")
	zone       = sdk.Want(data + "availability_zone")
	disabled   = sdk.Want(data + "disabled")
	reason     = sdk.Want(data + "disabled_reason")
	forcedDown = sdk.Want(data + "forced_down")
	lastSeenUp = sdk.Want(data + "last_seen_up")
)

func handle(e *panel.Event) {
	switch event := e.Type(); {
	case strings.HasPrefix(event, "service."):
		service(e)
	case strings.HasPrefix(event, "flavor."):
		flavor(e)
	case strings.HasPrefix(event, "aggregate."):
		aggregate(e)
	default:
		load(e)
	}
}

// action reads the last part of an event type that tells what became of
// something.
func action(event string) panel.Action {
	switch {
	case strings.HasSuffix(event, ".create") || strings.HasSuffix(event, ".create.end"):
		return panel.Create
	case strings.HasSuffix(event, ".delete") || strings.HasSuffix(event, ".delete.end"):
		return panel.Delete
	}
	return panel.Update
}

// flavor tells of a flavor, by the id that Horizon's rows have.
func flavor(e *panel.Event) {
	m := panel.Message{
		Topic: "flavors", Kind: "flavor", Action: action(e.Type()),
		ID: e.Field(data + "flavorid").Text(), Name: e.Get(name), Task: sdk.NullValue(), Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	for _, column := range [...]string{
		"vcpus", "memory_mb", "root_gb", "ephemeral_gb", "swap", "rxtx_factor", "is_public", "disabled", "extra_specs", "projects", "description",
	} {
		d.Data.Value(column, e.Field(data+column))
	}
	d.ToAdmin()
}

// service tells of a service. Whether it is up, nova's API finds out from when
// it was last seen; only one that was forced down is certainly not.
func service(e *panel.Event) {
	m := panel.Message{
		Topic: "services", Kind: "service", Action: action(e.Type()),
		ID: e.Get(uuid).Text(), Name: e.Get(host), Status: sdk.StringValue("enabled"),
	}
	if m.ID == "" {
		return
	}
	if e.Get(disabled).BoolOr(false) {
		m.Status = sdk.StringValue("disabled")
	}
	d := panel.Begin(e, &m)
	d.Data.Value("binary", e.Get(binary))
	d.Data.Value("host", e.Get(host))
	d.Data.Value("availability_zone", e.Get(zone))
	d.Data.Value("disabled_reason", e.Get(reason))
	d.Data.Value("forced_down", e.Get(forcedDown))
	if e.Get(forcedDown).BoolOr(false) {
		d.Data.String("state", "down")
	}
	panel.Time(&d.Data, "updated_at", e.Get(lastSeenUp))
	d.ToAdmin()
}

// aggregate tells of an aggregate. The legacy format has fragments only: which
// hosts are in it, it never tells.
func aggregate(e *panel.Event) {
	id, title, meta := e.Get(number), e.Get(name), e.GetList(metadata)
	if !id.Known() {
		id, title, meta = e.Get(legacyID), e.Get(legacyName), sdk.Value{}
		if e.Type() == "aggregate.create.end" { // later, it has what was changed only
			meta = e.GetList(legacyMeta)
		}
	}
	m := panel.Message{
		Topic: "aggregates", Kind: "aggregate", Action: action(e.Type()),
		ID:   id.Literal() + id.Text(), // a number, or one in quotes
		Name: title,
	}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	if meta.Kind() == sdk.KindObject {
		d.Data.StringOrNull("availability_zone", meta.Member("availability_zone").Text())
	}
	d.Data.List("hosts", e.GetList(hosts))
	d.Data.List("metadata", meta)
	d.ToAdmin()
}

// load tells that a hypervisor has more or less to do than before.
func load(e *panel.Event) {
	machine, of := e.Get(node), e.Get(host)
	if !machine.Known() {
		machine, of = e.Get(legacyNode), e.Get(legacyHost)
	}
	m := panel.Message{
		Topic: "hypervisors", Kind: "hypervisor", Action: panel.Update,
		ID: machine.Text(), Name: machine,
	}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	d.Data.Value("host", of)
	d.ToAdmin()
}
