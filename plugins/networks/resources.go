package networks

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
	// found says that neutron finds it, and nobody creates it.
	found bool
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
// members, empty if it is the only one.
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
	{
		member: "trunk", topic: "trunks", kind: "trunk", name: "name", plural: "trunks",
		columns: []string{"port_id", "sub_ports", "admin_state_up", "description", "created_at", "updated_at"},
	},
	{
		member: "policy", topic: "qos_policies", kind: "qos_policy", name: "name", plural: "policies",
		columns: []string{"rules", "shared", "is_default", "description", "created_at", "updated_at"},
	},
	{
		member: "rbac_policy", topic: "rbac_policies", kind: "rbac_policy", plural: "rbac_policies",
		columns: []string{"object_type", "object_id", "action", "target_tenant"},
	},
	{
		// Whose it is, neutron does not say.
		member: "port_forwarding", topic: "port_forwardings", kind: "port_forwarding", plural: "port_forwardings",
		columns: []string{
			"floatingip_id", "internal_port_id", "internal_ip_address", "internal_port", "internal_port_range", "external_port", "external_port_range",
			"protocol", "description",
		},
	},
	{
		member: "agent", topic: "agents", kind: "agent", name: "host", plural: "agents", found: true,
		columns:   []string{"agent_type", "binary", "host", "availability_zone", "admin_state_up", "alive", "heartbeat_timestamp", "description"},
		adminOnly: 8,
	},

	// neutron-vpnaas. The keys of connections are not read.
	{
		member: "vpnservice", topic: "vpn_services", kind: "vpn_service", name: "name", plural: "vpnservices",
		columns: []string{"router_id", "subnet_id", "external_v4_ip", "external_v6_ip", "admin_state_up", "description"},
	},
	{
		member: "ikepolicy", topic: "ike_policies", kind: "ike_policy", name: "name", plural: "ikepolicies",
		columns: []string{"auth_algorithm", "encryption_algorithm", "pfs", "ike_version", "phase1_negotiation_mode", "lifetime", "description"},
	},
	{
		member: "ipsecpolicy", topic: "ipsec_policies", kind: "ipsec_policy", name: "name", plural: "ipsecpolicies",
		columns: []string{"auth_algorithm", "encryption_algorithm", "pfs", "encapsulation_mode", "transform_protocol", "lifetime", "description"},
	},
	{
		member: "endpoint_group", topic: "vpn_endpoint_groups", kind: "vpn_endpoint_group", name: "name", plural: "endpoint_groups",
		columns: []string{"type", "endpoints", "description"},
	},
	{
		member: "ipsec_site_connection", topic: "ipsec_site_connections", kind: "ipsec_site_connection", name: "name", plural: "ipsec_site_connections",
		columns: []string{
			"vpnservice_id", "ikepolicy_id", "ipsecpolicy_id", "local_ep_group_id", "peer_ep_group_id", "peer_address", "peer_id", "peer_cidrs",
			"mtu", "admin_state_up", "description",
		},
	},

	// neutron-fwaas.
	{
		member: "firewall_group", topic: "firewall_groups", kind: "firewall_group", name: "name", plural: "firewall_groups",
		columns: []string{"ingress_firewall_policy_id", "egress_firewall_policy_id", "ports", "shared", "admin_state_up", "description"},
	},
	{
		member: "firewall_policy", topic: "firewall_policies", kind: "firewall_policy", name: "name", plural: "firewall_policies",
		columns: []string{"firewall_rules", "audited", "shared", "description"},
	},
	{
		member: "firewall_rule", topic: "firewall_rules", kind: "firewall_rule", name: "name", plural: "firewall_rules",
		columns: []string{
			"protocol", "ip_version", "source_ip_address", "source_port", "destination_ip_address", "destination_port", "action", "enabled",
			"shared", "firewall_policy_id", "description",
		},
	},
}
