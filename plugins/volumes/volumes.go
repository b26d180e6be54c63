// Package volumes is the plugin behind Horizon's tables of volumes, volume
// snapshots, volume backups and volume groups: cinder's notifications.
//
//	project/<owner>/<topic>    what cinder's API shows a tenant
//	admin/<topic>              the same, and the backend
//
// The topics are volumes, snapshots, backups, volume_groups, group_snapshots, and
// for admins volume_types.
package volumes

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "volumes", Grants: []string{"admin", "shared"},
		Topics: []string{"volumes", "volume_types", "snapshots", "backups", "volume_groups", "group_snapshots"},
		On: []string{
			"volume.*", "snapshot.*", "backup.*", "scheduler.create_volume",
			"group.*", "group_snapshot.*", "groups.reset_status.end", "groupsnapshots.reset_status.end",
			"volume_type.*",
		},
		Start:  panel.Configure,
		Handle: handle,
	})
}

var (
	volumeID   = sdk.Want("/payload/volume_id")
	snapshotID = sdk.Want("/payload/snapshot_id")
	backupID   = sdk.Want("/payload/backup_id")
	name       = sdk.Want("/payload/display_name")
	status     = sdk.Want("/payload/status")
	size       = sdk.Want("/payload/size")
	volumeSize = sdk.Want("/payload/volume_size")
	volumeType = sdk.Want("/payload/volume_type")
	attached   = sdk.Want("/payload/volume_attachment")
	zone       = sdk.Want("/payload/availability_zone")
	created    = sdk.Want("/payload/created_at")
	failReason = sdk.Want("/payload/fail_reason")
	percent    = sdk.Want("/payload/backup_percent")
	host       = sdk.Want("/payload/host")
)

func handle(e *panel.Event) {
	kind, event, _ := strings.Cut(e.Type(), ".")
	switch kind {
	case "volume":
		volume(e, event)
	case "snapshot":
		snapshot(e, event)
	case "backup":
		backup(e, event)
	case "group":
		group(e, "volume_groups", "volume_group", event, groupID)
	case "group_snapshot":
		group(e, "group_snapshots", "group_snapshot", event, groupSnapshot)
	case "groups":
		reset(e, "volume_groups", "volume_group")
	case "groupsnapshots":
		reset(e, "group_snapshots", "group_snapshot")
	case "volume_type":
		volumeTypes(e, event)
	case "scheduler":
		unscheduled(e)
	}
}

// message is what is common to all that cinder tells with an owner.
func message(e *panel.Event, topic, kind, event string, id sdk.Field) panel.Message {
	m := panel.Message{
		Topic: topic, Kind: kind, ID: e.Get(id).Text(), Action: panel.Update,
		Name: e.Get(name), Status: e.Get(status), Task: sdk.NullValue(), Error: sdk.NullValue(),
	}
	switch {
	case event == "create.start", event == "manage_existing.start", event == "manage_existing_snapshot.start":
		m.Action = panel.Create
	case event == "delete.end", event == "unmanage.end", e.Get(status).Text() == "deleted":
		m.Action = panel.Delete
	}
	if strings.HasPrefix(e.Get(status).Text(), "error") {
		m.Error = sdk.Value{} // why, another message has said, or none will
	}
	return m
}

// telling reports whether an event says something that was not so before: not the
// audit, and not the start of a change that leaves the status as it is.
func telling(event string) bool {
	switch event {
	case "exists", "usage", "update.start", "reset_status.start", "transfer.create.start", "transfer.delete.start":
		return false
	}
	return true
}

func volume(e *panel.Event, event string) {
	m := message(e, "volumes", "volume", event, volumeID)
	if m.ID == "" || !telling(event) {
		return
	}
	if event == "transfer.accept.start" {
		leaving(e, &m)
		return
	}
	switch event {
	case "transfer.create.end": // told with the status of before
		m.Status = sdk.StringValue("awaiting-transfer")
	case "transfer.delete.end":
		m.Status = sdk.StringValue("available")
	case "transfer.accept.end":
		m.Action = panel.Create
	}
	d := panel.Begin(e, &m)
	d.Data.Value("size", e.Get(size))
	d.Data.Value("volume_type_id", e.Get(volumeType))
	attachments(&d.Data, e.GetList(attached))
	d.Data.Value("availability_zone", e.Get(zone))
	d.Data.Value("snapshot_id", e.Get(snapshotID))
	panel.Time(&d.Data, "created_at", e.Get(created))
	d.ToProject()
	d.Data.Value("host", e.Get(host))
	d.ToAdmin()
}

// leaving is the last that the old owner of a volume hears of it: somebody accepts
// its transfer. That can still fail without a further word (cinder/transfer/api.py),
// so this only asks to look whether the volume is still there. The new owner is told
// by transfer.accept.end.
func leaving(e *panel.Event, m *panel.Message) {
	m.Name, m.Status, m.Task, m.Error = sdk.Value{}, sdk.Value{}, sdk.Value{}, sdk.Value{}
	d := panel.Begin(e, m)
	d.ToProject()
}

// attachments lists the servers that a volume is attached to, without the
// machines they run on.
func attachments(o *panel.Columns, list sdk.Value) {
	if list = panel.Few(list); list.Kind() != sdk.KindArray {
		return
	}
	a := o.Array("attachments")
	for it := list.Items(); it.Next(); {
		server, device := sdk.Value{}, sdk.Value{}
		detached := false
		for members := it.Value().Items(); members.Next(); {
			switch v := members.Value(); members.Key() {
			case "instance_uuid":
				server = v
			case "mountpoint":
				device = v
			case "attach_status":
				detached = v.Text() == "detached"
			}
		}
		if server.Known() && !detached {
			each := a.Object()
			each.Value("server_id", server)
			each.Value("device", device)
		}
	}
}

func snapshot(e *panel.Event, event string) {
	m := message(e, "snapshots", "snapshot", event, snapshotID)
	if m.ID == "" || !telling(event) {
		return
	}
	d := panel.Begin(e, &m)
	d.Data.Value("size", e.Get(volumeSize))
	d.Data.Value("volume_id", e.Get(volumeID))
	panel.Time(&d.Data, "created_at", e.Get(created))
	d.ToProject()
	d.ToAdmin()
}

func backup(e *panel.Event, event string) {
	m := message(e, "backups", "backup", event, backupID)
	if m.ID == "" || !telling(event) {
		return
	}
	if reason := e.Get(failReason).Text(); reason != "" && m.Error.Kind() == sdk.KindAbsent {
		m.Error = sdk.StringValue(panel.Sentence(reason)) // as cinder's API shows it
	}
	d := panel.Begin(e, &m)
	d.Data.Value("size", e.Get(size))
	d.Data.Value("volume_id", e.Get(volumeID))
	d.Data.Value("snapshot_id", e.Get(snapshotID))
	d.Data.Value("availability_zone", e.Get(zone))
	d.Data.Value("percent", e.Get(percent))
	panel.Time(&d.Data, "created_at", e.Get(created))
	d.ToProject()
	d.Data.Value("host", e.Get(host))
	d.ToAdmin()
}

// unscheduled is cinder's scheduler telling that it found no backend for a
// volume. It is the only one to say why.
func unscheduled(e *panel.Event) {
	id := e.Get(volumeID).Text()
	if id == "" || e.Priority() != "error" {
		return
	}
	m := panel.Message{
		Topic: "volumes", Kind: "volume", ID: id, Action: panel.Update,
		Name:   e.Field("/payload/volume_properties/display_name"),
		Status: e.Field("/payload/state"), Task: sdk.NullValue(),
		Error: sdk.StringValue(panel.Unbacked(e)),
	}
	d := panel.Begin(e, &m)
	d.Data.Value("size", e.Field("/payload/volume_properties/size"))
	d.ToProject()
	d.ToAdmin()
}
