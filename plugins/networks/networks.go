// Package networks is the plugin behind Horizon's tables of what neutron has:
// neutron's notifications.
//
//	project/<owner>/<topic>    what neutron's API shows a tenant
//	admin/<topic>              the same, and what it shows admins only
//
// The topics are networks, subnets, ports, routers, floating_ips, security_groups
// and security_group_rules; trunks, qos_policies, rbac_policies, port_forwardings
// and agents; and those of its VPN and its firewall (resources.go). Neutron tells
// what its API changes; what its agents change (a port that comes up) it does not.
package networks

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	var on []string
	for i := range resources {
		r := &resources[i]
		r.members = append([]string{"id", "status", r.name}, r.columns...)
		for _, name := range r.members {
			r.pointers = append(r.pointers, "/payload/"+r.member+"/"+name)
		}
		// A start says nothing yet, and who owns it is not known either.
		on = append(on, r.member+".update.end", r.member+".delete.end")
		if !r.found {
			on = append(on, r.member+".create.end")
		}
	}
	panel.Register(panel.Plugin{
		Name: "networks", Grants: []string{"admin", "shared"},
		Topics: []string{
			"networks", "subnets", "ports", "routers", "floating_ips", "security_groups", "security_group_rules",
			"agents", "firewall_groups", "firewall_policies", "firewall_rules", "ike_policies", "ipsec_policies",
			"ipsec_site_connections", "port_forwardings", "qos_policies", "rbac_policies", "trunks",
			"vpn_endpoint_groups", "vpn_services",
		},
		On:     append(on, "router.interface.create", "router.interface.delete"),
		Start:  panel.Configure,
		Handle: handle,
	})
}

// interfaces is what neutron says when a subnet is plugged into a router, or out.
var interfaces = sdk.Want("/payload/router_interface/id")

func handle(e *panel.Event) {
	if v := e.Get(interfaces); v.Known() {
		plugged(e, v.Text())
		return
	}
	member, event, _ := strings.Cut(e.Type(), ".")
	for i := range resources {
		if r := &resources[i]; r.member == member {
			if !tell(e, one{r, ""}, event) {
				created(e, r, event)
			}
			return
		}
	}
}

// created tells of several that were created at once.
func created(e *panel.Event, r *resource, event string) {
	for i := range panel.MaxAtOnce {
		if !tell(e, one{r, r.listed(i)}, event) {
			return
		}
	}
	if e.Field(r.listed(panel.MaxAtOnce) + "id").Known() {
		sdk.Log(sdk.Warn, "more resources were created at once than can be told; panels see the others when they reload")
	}
}

// tell sends one resource's message, and reports whether there is one. Its members
// are read one by one: nobody knows how long the whole of it is.
func tell(e *panel.Event, v one, event string) bool {
	m := panel.Message{Topic: v.topic, Kind: v.kind, Action: panel.Update, ID: v.get(e, 0).Text()}
	if m.ID == "" {
		return false
	}
	brief := e.Brief()
	if !brief {
		m.Status, m.Name = v.get(e, 1), v.get(e, 2)
		m.Task, m.Error = sdk.NullValue(), sdk.NullValue()
	}
	switch event {
	case "create.end":
		m.Action = panel.Create
	case "delete.end":
		m.Action = panel.Delete
	}
	d := panel.Begin(e, &m)
	tenants := len(v.members) - v.adminOnly
	if !brief {
		write(e, &d.Data, v, columns, tenants)
	}
	if tenants > columns {
		d.ToProject()
	}
	if !brief {
		write(e, &d.Data, v, tenants, len(v.members))
	}
	d.ToAdmin()
	return true
}

// write adds columns under neutron's own names.
func write(e *panel.Event, o *panel.Columns, v one, from, to int) {
	for i := from; i < to; i++ {
		switch name := v.members[i]; name {
		case "created_at", "updated_at":
			panel.Time(o, name, v.get(e, i))
		default:
			o.Value(name, v.get(e, i))
		}
	}
}

// plugged says that a router has changed, and nothing about how: a panel asks.
func plugged(e *panel.Event, id string) {
	m := panel.Message{Topic: "routers", Kind: "router", Action: panel.Update, ID: id, Task: sdk.NullValue(), Error: sdk.NullValue()}
	d := panel.Begin(e, &m)
	d.ToProject()
	d.ToAdmin()
}
