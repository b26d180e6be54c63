package volumes

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

var (
	groupID       = sdk.Want("/payload/group_id")
	groupSnapshot = sdk.Want("/payload/group_snapshot_id")
	groupName     = sdk.Want("/payload/name")
	groupType     = sdk.Want("/payload/group_type")
)

// group tells of a volume group or of a snapshot of one. Its volumes and their
// snapshots are told one by one.
func group(e *panel.Event, topic, kind, event string, id sdk.Field) {
	m := message(e, topic, kind, event, id)
	m.Name = e.Get(groupName)
	if m.ID == "" || !telling(event) {
		return
	}
	d := panel.Begin(e, &m)
	if kind == "group_snapshot" {
		d.Data.Value("group_id", e.Get(groupID))
	}
	d.Data.Value("group_type_id", e.Get(groupType))
	d.Data.Value("availability_zone", e.Get(zone))
	panel.Time(&d.Data, "created_at", e.Get(created))
	d.ToProject()
	d.ToAdmin()
}

// reset says that an admin has set the status of something, whose owner cinder's API
// does not name here.
func reset(e *panel.Event, topic, kind string) {
	m := panel.Message{
		Topic: topic, Kind: kind, Action: panel.Update, ID: e.Field("/payload/id").Text(),
		Status: e.Field("/payload/update/status"), Task: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	d.ToAdmin()
}

// volumeTypes tells of a volume type, which belongs to the cloud. A refused change
// has a text in its place.
func volumeTypes(e *panel.Event, event string) {
	const at = "/payload/volume_types/"
	m := panel.Message{
		Topic: "volume_types", Kind: "volume_type", Action: panel.Update, ID: e.Field(at + "id").Text(),
		Name: e.Field(at + "name"), Task: sdk.NullValue(), Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	switch {
	case strings.HasPrefix(event, "create"):
		m.Action = panel.Create
	case strings.HasPrefix(event, "delete"):
		m.Action = panel.Delete
	}
	d := panel.Begin(e, &m)
	d.Data.Value("description", e.Field(at+"description"))
	d.Data.Value("is_public", e.Field(at+"is_public"))
	d.Data.Value("qos_specs_id", e.Field(at+"qos_specs_id"))
	d.Data.Value("extra_specs", e.Field(at+"extra_specs"))
	d.ToAdmin()
}
