package main

import (
	"strconv"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// resource is how one of neutron's resources becomes a row.
type resource struct {
	// member is its name in event types and payloads.
	member      string
	topic, kind string
	// name is the member that people know it by.
	name string
	// columns are the members that tables show; the last adminOnly of them
	// neutron's policy keeps from tenants.
	columns   []string
	adminOnly int
	// plural is the payload's member where there are several.
	plural string

	// members are all that are read, the columns from the one of that number on,
	// and pointers where they are in the payload.
	members, pointers []string
}

const columns = 3

// listed is the beginning of a pointer to one of several.
func (r *resource) listed(i int) string { return "/payload/" + r.plural + "/" + strconv.Itoa(i) + "/" }

// one is a resource in a payload. at is the beginning of the pointers to its
// members, empty where it is the only one.
type one struct {
	*resource
	at string
}

// get reads a member by its number.
func (v *one) get(e *panel.Event, i int) sdk.Value {
	if v.at == "" {
		return e.Field(v.pointers[i])
	}
	return e.Field(v.at + v.members[i])
}

var resources = []resource{
	{
		member: "network", topic: "networks", kind: "network", name: "name",
		columns: []string{
			"admin_state_up", "shared", "router:external", "subnets", "mtu", "availability_zones", "description", "created_at", "updated_at",
			"provider:network_type", "provider:physical_network", "provider:segmentation_id",
		},
		adminOnly: 3,
		plural:    "networks",
	},
	{
		member: "subnet", topic: "subnets", kind: "subnet", name: "name",
		columns: []string{
			"network_id", "cidr", "ip_version", "gateway_ip", "enable_dhcp", "allocation_pools", "dns_nameservers", "description", "created_at", "updated_at",
		},
		plural: "subnets",
	},
	{
		member: "port", topic: "ports", kind: "port", name: "name",
		columns: []string{
			"network_id", "fixed_ips", "mac_address", "admin_state_up", "device_id", "device_owner", "security_groups",
			"binding:vnic_type", "port_security_enabled", "description", "created_at", "updated_at",
			"binding:host_id", "binding:vif_type",
		},
		adminOnly: 2,
		plural:    "ports",
	},
	{
		member: "router", topic: "routers", kind: "router", name: "name",
		columns: []string{
			"external_gateway_info", "admin_state_up", "availability_zones", "routes", "description", "created_at", "updated_at",
			"distributed", "ha",
		},
		adminOnly: 2,
		plural:    "routers",
	},
	{
		member: "floatingip", topic: "floating_ips", kind: "floating_ip", name: "floating_ip_address",
		columns: []string{
			"floating_ip_address", "fixed_ip_address", "port_id", "router_id", "floating_network_id", "description", "dns_name", "dns_domain",
			"created_at", "updated_at",
		},
		plural: "floatingips",
	},
	{
		member: "security_group", topic: "security_groups", kind: "security_group", name: "name",
		columns: []string{"description", "stateful", "shared", "created_at", "updated_at"},
		plural:  "security_groups",
	},
	{
		member: "security_group_rule", topic: "security_group_rules", kind: "security_group_rule",
		columns: []string{
			"security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
			"remote_ip_prefix", "remote_group_id", "remote_address_group_id", "description", "created_at", "updated_at",
		},
		plural: "security_group_rules",
	},
}
