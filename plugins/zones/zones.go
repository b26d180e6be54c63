// Package zones is the plugin behind designate's tables of zones and record
// sets.
//
//	project/<owner>/zones
//	project/<owner>/recordsets
//
// It needs designate's notification_plugin "default": with "audit", designate
// names no owners. That a record set's new records have reached the name servers
// is not told; that their zone has, is.
package zones

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// Designate tells each of a zone's events a second time as dns.domain.*, and
// dns.zone.share is about another project's view of it.
func init() {
	panel.Register(panel.Plugin{
		Name: "zones", Grants: []string{"admin", "shared"},
		Topics: []string{"zones", "recordsets"},
		On: []string{
			"dns.zone.create", "dns.zone.update", "dns.zone.delete",
			"dns.recordset.create", "dns.recordset.update", "dns.recordset.delete",
		},
		Handle: handle,
	})
}

// place is a member of a zone or record set. They come as a dict of their
// fields, or as a serialized object around it.
type place struct{ plain, wrapped sdk.Field }

func want(member string) place {
	return place{sdk.Want("/payload/" + member), sdk.Want("/payload/designate_object.data/" + member)}
}

func (p place) of(e *panel.Event) sdk.Value {
	if v := e.Get(p.plain); v.Kind() != sdk.KindAbsent {
		return v
	}
	return e.Get(p.wrapped)
}

// list is of for one that may be long.
func (p place) list(e *panel.Event) sdk.Value {
	if v := e.GetList(p.plain); v.Kind() != sdk.KindAbsent {
		return v
	}
	return e.GetList(p.wrapped)
}

var (
	id, name, status    = want("id"), want("name"), want("status")
	doing, kind         = want("action"), want("type")
	ttl, description    = want("ttl"), want("description")
	email, serial       = want("email"), want("serial")
	created, updated    = want("created_at"), want("updated_at")
	zone, zoneName      = want("zone_id"), want("zone_name")
	records             = want("records")
	transferred, shared = want("transferred_at"), want("shared")
)

func handle(e *panel.Event) {
	what, event, _ := strings.Cut(strings.TrimPrefix(e.Type(), "dns."), ".")
	m := panel.Message{Action: panel.Update, ID: id.of(e).Text(), Name: name.of(e), Error: sdk.NullValue()}
	if m.ID == "" {
		return
	}
	if event == "create" {
		m.Action = panel.Create
	}
	if what == "zone" {
		tellZone(e, &m, event)
	} else {
		tellRecordset(e, &m, event)
	}
}

// tellZone tells of a zone. Deleting one begins with setting it to be deleted;
// it is gone when the name servers have forgotten it, which comes as an update.
func tellZone(e *panel.Event, m *panel.Message, event string) {
	m.Topic, m.Kind, m.Status = "zones", "zone", status.of(e)
	if event == "delete" && doing.of(e).Text() != "DELETE" || m.Status.Text() == "DELETED" {
		m.Action = panel.Delete
	}
	m.Task = doing.of(e)
	if m.Task.Text() == "NONE" {
		m.Task = sdk.NullValue()
	}
	if m.Status.Text() == "ERROR" {
		m.Error = sdk.Value{} // nobody says which
	}
	d := panel.Begin(e, m)
	d.Data.Value("type", kind.of(e))
	d.Data.Value("email", email.of(e))
	d.Data.Value("serial", serial.of(e))
	d.Data.Value("ttl", ttl.of(e))
	d.Data.Value("description", description.of(e))
	d.Data.Value("shared", shared.of(e))
	times(e, &d.Data)
	panel.Time(&d.Data, "transferred_at", transferred.of(e))
	d.ToProject()
}

// tellRecordset tells of a record set, which designate's API lists until its
// zone has been told to the name servers; nobody says when that was.
func tellRecordset(e *panel.Event, m *panel.Message, event string) {
	m.Topic, m.Kind, m.Status = "recordsets", "recordset", worst(records.list(e))
	if event == "delete" {
		m.Action = panel.Delete
	}
	d := panel.Begin(e, m)
	d.Data.Value("zone_id", zone.of(e))
	d.Data.Value("zone_name", zoneName.of(e))
	d.Data.Value("type", kind.of(e))
	d.Data.Value("ttl", ttl.of(e))
	d.Data.Value("description", description.of(e))
	times(e, &d.Data)
	if list := panel.Few(records.list(e)); list.Kind() == sdk.KindArray {
		out := d.Data.Array("records")
		for it := list.Items(); it.Next(); {
			out.Value(panel.Small(it.Value().Member("data")))
		}
	}
	d.ToProject()
}

func times(e *panel.Event, o *panel.Columns) {
	panel.Time(o, "created_at", created.of(e))
	panel.Time(o, "updated_at", updated.of(e))
}

// worst is a record set's status, which designate's API makes of its records':
// RecordSet.status in designate/objects/recordset.py.
func worst(records sdk.Value) sdk.Value {
	order := [...]string{"ERROR", "PENDING", "ACTIVE", "DELETED"}
	if records.Kind() != sdk.KindArray {
		return sdk.Value{}
	}
	found := len(order)
	for it := records.Items(); it.Next(); {
		status := it.Value().Member("status").Text()
		for i := range order {
			if order[i] == status && i < found {
				found = i
			}
		}
	}
	if found == len(order) {
		return sdk.StringValue("ACTIVE")
	}
	return sdk.StringValue(order[found])
}
