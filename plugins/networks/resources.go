package main

import "horizon-realtime/sdk"

// maxColumns is the length of the longest list of columns.
const maxColumns = 16

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
	// one and several are where the payload has it, or them.
	one, several sdk.Field
}

var resources = []resource{
	{
		member: "network", topic: "networks", kind: "network", name: "name",
		columns: []string{
			"admin_state_up", "shared", "router:external", "subnets", "mtu", "availability_zones", "description", "created_at", "updated_at",
			"provider:network_type", "provider:physical_network", "provider:segmentation_id",
		},
		adminOnly: 3,
		one:       sdk.Want("/payload/network"), several: sdk.Want("/payload/networks"),
	},
	{
		member: "subnet", topic: "subnets", kind: "subnet", name: "name",
		columns: []string{
			"network_id", "cidr", "ip_version", "gateway_ip", "enable_dhcp", "allocation_pools", "dns_nameservers", "description", "created_at", "updated_at",
		},
		one: sdk.Want("/payload/subnet"), several: sdk.Want("/payload/subnets"),
	},
	{
		member: "port", topic: "ports", kind: "port", name: "name",
		columns: []string{
			"network_id", "fixed_ips", "mac_address", "admin_state_up", "device_id", "device_owner", "security_groups",
			"binding:vnic_type", "port_security_enabled", "description", "created_at", "updated_at",
			"binding:host_id", "binding:vif_type",
		},
		adminOnly: 2,
		one:       sdk.Want("/payload/port"), several: sdk.Want("/payload/ports"),
	},
	{
		member: "router", topic: "routers", kind: "router", name: "name",
		columns: []string{
			"external_gateway_info", "admin_state_up", "availability_zones", "routes", "description", "created_at", "updated_at",
			"distributed", "ha",
		},
		adminOnly: 2,
		one:       sdk.Want("/payload/router"), several: sdk.Want("/payload/routers"),
	},
	{
		member: "floatingip", topic: "floating_ips", kind: "floating_ip", name: "floating_ip_address",
		columns: []string{
			"floating_ip_address", "fixed_ip_address", "port_id", "router_id", "floating_network_id", "description", "dns_name", "dns_domain",
			"created_at", "updated_at",
		},
		one: sdk.Want("/payload/floatingip"), several: sdk.Want("/payload/floatingips"),
	},
	{
		member: "security_group", topic: "security_groups", kind: "security_group", name: "name",
		columns: []string{"description", "stateful", "shared", "created_at", "updated_at"},
		one:     sdk.Want("/payload/security_group"), several: sdk.Want("/payload/security_groups"),
	},
	{
		member: "security_group_rule", topic: "security_group_rules", kind: "security_group_rule",
		columns: []string{
			"security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
			"remote_ip_prefix", "remote_group_id", "remote_address_group_id", "description", "created_at", "updated_at",
		},
		one: sdk.Want("/payload/security_group_rule"), several: sdk.Want("/payload/security_group_rules"),
	},
}
