// Command networks is the filter behind Horizon's tables of networks, subnets,
// ports, routers, floating IPs and security groups: neutron's notifications.
//
//	project/<owner>/<topic>    what neutron's API shows a tenant
//	admin/<topic>              the same, and what it shows admins only
//
// The topics are networks, subnets, ports, routers, floating_ips, security_groups
// and security_group_rules. Neutron tells what its API changes; what its agents
// change (a port that comes up) it does not.
package main

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	var on []string
	for i := range resources {
		r := &resources[i]
		// A start says nothing yet, and who owns it is not known either.
		on = append(on, r.member+".create.end", r.member+".update.end", r.member+".delete.end")
	}
	sdk.Register(sdk.Filter{
		On:     append(on, "router.interface.create", "router.interface.delete"),
		Start:  panel.Configure,
		Handle: handle,
	})
}

func main() {}

// interfaces is what neutron says when a subnet is plugged into a router, or out.
var interfaces = sdk.Want("/payload/router_interface")

func handle(e *sdk.Event) {
	if v := e.Get(interfaces); v.Known() {
		plugged(e, v)
		return
	}
	member, event, _ := strings.Cut(e.Type(), ".")
	for i := range resources {
		r := &resources[i]
		if r.member != member {
			continue
		}
		one := e.Get(r.one)
		if one.Known() {
			tell(e, r, event, one)
			return
		}
		// Several may be created at once.
		list := e.Get(r.several).Items()
		for told := 0; list.Next(); told++ {
			if told == maxAtOnce {
				sdk.Log(sdk.Warn, "more resources were created at once than can be told; panels see the others when they reload")
				return
			}
			tell(e, r, event, list.Value())
		}
	}
}

// maxAtOnce keeps the two messages that each resource takes under the router's
// limit of 64 emissions an event.
const maxAtOnce = 31

// tell sends one resource's message.
func tell(e *sdk.Event, r *resource, event string, v sdk.Value) {
	var row [maxColumns]sdk.Value
	m := panel.Message{Topic: r.topic, Kind: r.kind, Action: panel.Update, Task: sdk.NullValue(), Error: sdk.NullValue()}
	switch event {
	case "create.end":
		m.Action = panel.Create
	case "delete.end":
		m.Action = panel.Delete
	}
	for it := v.Items(); it.Next(); { // once: it is a text
		switch key := it.Key(); key {
		case "id":
			m.ID = it.Value().Text()
			continue
		case "status":
			m.Status = it.Value()
			continue
		case r.name:
			m.Name = it.Value()
		}
		for i := range r.columns {
			if r.columns[i] == it.Key() {
				row[i] = it.Value()
				break
			}
		}
	}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	tenants := len(r.columns) - r.adminOnly
	write(d.Data, r.columns[:tenants], row[:tenants])
	d.ToProject()
	write(d.Data, r.columns[tenants:], row[tenants:len(r.columns)])
	d.ToAdmin()
}

// write adds columns under neutron's own names.
func write(o sdk.ObjectBuilder, names []string, row []sdk.Value) {
	for i, v := range row {
		switch names[i] {
		case "created_at", "updated_at":
			panel.Time(o, names[i], v)
		default:
			o.Value(names[i], panel.Small(v))
		}
	}
}

// plugged says that a router has changed, and nothing about how: a panel asks.
func plugged(e *sdk.Event, v sdk.Value) {
	m := panel.Message{Topic: "routers", Kind: "router", Action: panel.Update, ID: v.Member("id").Text(), Task: sdk.NullValue(), Error: sdk.NullValue()}
	if m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	d.ToProject()
	d.ToAdmin()
}
