// Package loadbalancers is the plugin behind Horizon's load balancers table:
// octavia's notifications, of which there are three.
//
//	project/<owner>/loadbalancers
//
// Octavia tells when it is done, and nothing else: no failure, no operating
// status, and nothing of listeners, pools, members and health monitors. A panel
// keeps asking for these.
package loadbalancers

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "loadbalancers", Grants: []string{"admin", "shared"},
		On: []string{
			"octavia.loadbalancer.create.end", "octavia.loadbalancer.update.end", "octavia.loadbalancer.delete.end",
		},
		Handle: handle,
	})
}

// The payload is what octavia hands its providers (lb_dict_to_provider_dict in
// octavia/api/drivers/utils.py); octavia's manual shows the API's object
// instead, with `id` and `vip`.
var (
	id           = sdk.Want("/payload/loadbalancer_id")
	apiID        = sdk.Want("/payload/id")
	name         = sdk.Want("/payload/name")
	description  = sdk.Want("/payload/description")
	address      = sdk.Want("/payload/vip_address")
	apiAddress   = sdk.Want("/payload/vip/ip_address")
	subnet       = sdk.Want("/payload/vip_subnet_id")
	network      = sdk.Want("/payload/vip_network_id")
	adminStateUp = sdk.Want("/payload/admin_state_up")
	zone         = sdk.Want("/payload/availability_zone")
	provider     = sdk.Want("/payload/provider")
)

func handle(e *panel.Event) {
	m := panel.Message{
		Topic: "loadbalancers", Kind: "loadbalancer", ID: first(e, id, apiID).Text(),
		// Each of the three is sent just after the table row was set to it:
		// Mark…InDB comes before Send…Notification in octavia's flows.
		Action: panel.Update, Status: sdk.StringValue("ACTIVE"),
		Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	switch {
	case strings.HasSuffix(e.Type(), "create.end"):
		m.Action, m.Name = panel.Create, e.Get(name)
	case strings.HasSuffix(e.Type(), "delete.end"):
		m.Action, m.Name, m.Status = panel.Delete, e.Get(name), sdk.StringValue("DELETED")
	}
	d := panel.Begin(e, &m)
	if m.Action != panel.Delete {
		d.Data.Value("vip_address", first(e, address, apiAddress))
		d.Data.Value("vip_network_id", e.Get(network))
		d.Data.Value("vip_subnet_id", e.Get(subnet))
		d.Data.Value("provider", e.Get(provider))
		d.Data.Value("availability_zone", e.Get(zone))
	}
	// An update carries the load balancer as it was before: what could have
	// changed is left out, for the panel to ask for.
	if m.Action == panel.Create {
		d.Data.Value("description", e.Get(description))
		d.Data.Value("admin_state_up", e.Get(adminStateUp))
	}
	d.ToProject()
}

// first is the first of several places that holds something.
func first(e *panel.Event, places ...sdk.Field) (v sdk.Value) {
	for _, place := range places {
		if v = e.Get(place); v.Known() {
			return v
		}
	}
	return v
}
