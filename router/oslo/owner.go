package oslo

import (
	"bytes"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// rule says where a service's payload names the owner of what the event is
// about, and its id. Of several places, those that are there must agree: a
// message that contradicts itself has no owner. Nil means that the payload does
// not say, so that only admin channels are left.
//
// The context is about who acted, and admins act on other people's resources, so
// it is not asked. Only heat says nothing else: see stackOwner.
type rule struct {
	project, user, resource []json.Pointer
	// neutron is the member of the payload that holds a neutron resource.
	neutron string
	// heat is set for stacks.
	heat bool
}

// rules by the event type's first segment, or its first two, which go before.
var rules = map[string]rule{
	// nova, legacy. A key pair's tenant_id is the actor's; a server group's
	// deletion names no owner.
	"compute.instance": {project: payload("tenant_id"), user: payload("user_id"), resource: payload("instance_id")},
	"servergroup":      {project: payload("project_id"), user: payload("user_id"), resource: payload("server_group_id")},

	// nova's conductor, in both formats, telling that a server has no place. The
	// request it could not serve names the server's owner, whoever asked.
	"compute_task": {
		project:  paths("/payload/instance_properties/project_id", "/payload/nova_object.data/request_spec/nova_object.data/project_id"),
		user:     paths("/payload/instance_properties/user_id", "/payload/nova_object.data/request_spec/nova_object.data/user_id"),
		resource: append(nova("instance_uuid"), payload("instance_id")...)},

	// nova, versioned. Key pairs, aggregates and flavors have one name in both
	// formats.
	"instance":     {project: nova("tenant_id"), user: nova("user_id"), resource: nova("uuid")},
	"server_group": {project: nova("project_id"), user: nova("user_id"), resource: nova("uuid")},
	"keypair":      {user: either("user_id"), resource: paths("/payload/nova_object.data/name", "/payload/key_name")},
	"flavor":       {resource: nova("flavorid")},
	"service":      {resource: nova("uuid")},
	"aggregate":    {resource: nova("uuid")},

	// cinder. Its group types and volume types belong to the cloud.
	"volume":           {project: payload("tenant_id"), user: payload("user_id"), resource: payload("volume_id")},
	"snapshot":         {project: payload("tenant_id"), user: payload("user_id"), resource: payload("snapshot_id")},
	"backup":           {project: payload("tenant_id"), user: payload("user_id"), resource: payload("backup_id")},
	"group":            {project: payload("tenant_id"), user: payload("user_id"), resource: payload("group_id")},
	"group_snapshot":   {project: payload("tenant_id"), user: payload("user_id"), resource: payload("group_snapshot_id")},
	"consistencygroup": {project: payload("tenant_id"), user: payload("user_id"), resource: payload("consistencygroup_id")},
	"cgsnapshot":       {project: payload("tenant_id"), user: payload("user_id"), resource: payload("cgsnapshot_id")},
	"volume_type":      {resource: paths("/payload/volume_types/id")},
	"groups":           {resource: payload("id")},
	"groupsnapshots":   {resource: payload("id")},
	// cinder's scheduler: that no backend takes a new volume, only it tells.
	"scheduler.create_volume": {
		project:  paths("/payload/volume_properties/project_id", "/payload/request_spec/volume/project_id"),
		user:     paths("/payload/volume_properties/user_id", "/payload/request_spec/volume/user_id"),
		resource: payload("volume_id")},

	// neutron: see neutronOwner.
	"network":               {neutron: "network"},
	"subnet":                {neutron: "subnet"},
	"subnetpool":            {neutron: "subnetpool"},
	"port":                  {neutron: "port"},
	"router":                {neutron: "router"},
	"router.interface":      {neutron: "router_interface"},
	"floatingip":            {neutron: "floatingip"},
	"security_group":        {neutron: "security_group"},
	"security_group_rule":   {neutron: "security_group_rule"},
	"address_group":         {neutron: "address_group"},
	"address_scope":         {neutron: "address_scope"},
	"rbac_policy":           {neutron: "rbac_policy"}, // its owner, not the project it is for
	"trunk":                 {neutron: "trunk"},
	"policy":                {neutron: "policy"}, // QoS
	"local_ip":              {neutron: "local_ip"},
	"ndp_proxy":             {neutron: "ndp_proxy"},
	"metering_label":        {neutron: "metering_label"},
	"log":                   {neutron: "log"},
	"bgpvpn":                {neutron: "bgpvpn"},
	"firewall_group":        {neutron: "firewall_group"},
	"firewall_policy":       {neutron: "firewall_policy"},
	"firewall_rule":         {neutron: "firewall_rule"},
	"vpnservice":            {neutron: "vpnservice"},
	"ikepolicy":             {neutron: "ikepolicy"},
	"ipsecpolicy":           {neutron: "ipsecpolicy"},
	"ipsec_site_connection": {neutron: "ipsec_site_connection"},
	"endpoint_group":        {neutron: "endpoint_group"},
	"port_forwarding":       {neutron: "port_forwarding"}, // names no owner
	"agent":                 {neutron: "agent"},           // the cloud's own

	// glance. A member's record says with whom an image is shared, and not
	// whose it is. Metadata definitions belong to the cloud.
	"image":             {project: payload("owner"), resource: payload("id")},
	"image.send":        {project: payload("owner_id"), resource: payload("image_id")},
	"image.member":      {resource: payload("image_id")},
	"task":              {project: payload("owner"), resource: payload("id")},
	"metadef_namespace": {resource: payload("namespace")},

	// heat: see stackOwner.
	"orchestration.stack": {heat: true, resource: payload("stack_identity")},

	// keystone. Projects, users and roles are the cloud's own: that a project
	// is the resource does not make it the owner, and CADF's initiator acted.
	"identity": {resource: paths("/payload/resource_info", "/payload/target/id")},

	"octavia.loadbalancer": {project: payload("project_id"), resource: payload("loadbalancer_id")},
	"magnum.cluster": {project: paths("/payload/target/attachments/0/content/project_id"),
		resource: paths("/payload/target/id")},
	"dns.zone":      {project: designate("tenant_id", "project_id"), resource: designate("id")},
	"dns.domain":    {project: designate("tenant_id", "project_id"), resource: designate("id")},
	"dns.recordset": {project: designate("tenant_id", "project_id"), resource: designate("id")},

	// manila. Its share types belong to the cloud.
	"share":      {project: payload("project_id"), user: payload("user_id"), resource: payload("share_id")},
	"share_type": {resource: paths("/payload/share_types/id")},

	// trove's taskmanager. Its user_id is the actor's; dbaas.*, of trove's API,
	// have the actor's project as well.
	"trove.instance": {project: payload("tenant_id"), resource: payload("instance_id")},
	"dbaas":          {resource: payload("instance_id")},

	"lease": {project: payload("project_id"), user: payload("user_id"), resource: payload("lease_id")}, // blazar

	// aodh. Its project_id is the actor's, and at a deletion on_behalf_of is, too.
	"alarm.creation":         {project: payload("detail/project_id"), resource: payload("alarm_id")},
	"alarm.rule_change":      {project: payload("on_behalf_of"), resource: payload("alarm_id")},
	"alarm.state_transition": {project: payload("on_behalf_of"), resource: payload("alarm_id")},
	"alarm":                  {resource: payload("alarm_id")},

	// masakari and watcher work for the cloud. Neutron has segments, too.
	"segment":      {resource: paths("/payload/masakari_object.data/uuid", "/payload/segment/id")},
	"host":         {resource: paths("/payload/masakari_object.data/uuid")},
	"notification": {resource: paths("/payload/masakari_object.data/notification_uuid")},
	"audit":        {resource: watcher("uuid")},
	"action_plan":  {resource: watcher("uuid")},
	"action":       {resource: watcher("uuid")},

	// ironic's nodes belong to the cloud.
	"baremetal.node": {resource: paths("/payload/ironic_object.data/uuid")},
}

func payload(member string) []json.Pointer { return paths("/payload/" + member) }
func nova(member string) []json.Pointer    { return paths("/payload/nova_object.data/" + member) }
func watcher(member string) []json.Pointer { return paths("/payload/watcher_object.data/" + member) }
func either(member string) []json.Pointer  { return append(nova(member), payload(member)...) }

// designate's zones come as a dict, or as a serialized object around it.
func designate(members ...string) []json.Pointer {
	var list []json.Pointer
	for _, member := range members {
		list = append(list, paths("/payload/"+member, "/payload/designate_object.data/"+member)...)
	}
	return list
}

// findOwner fills in Project, User and Resource. What no channel can have for an
// id owns nothing.
func findOwner(n *event.Notification) {
	r, ok := ruleFor(n.Type)
	if !ok {
		return
	}
	if r.neutron != "" {
		neutronOwner(n, r.neutron)
	} else {
		n.Project = agreed(n, r.project)
		n.User = agreed(n, r.user)
		n.Resource = agreed(n, r.resource)
	}
	if r.heat {
		n.Project = stackOwner(n)
	}
	if !event.IsID(n.Project) {
		n.Project = ""
	}
	if !event.IsID(n.User) {
		n.User = ""
	}
}

func ruleFor(eventType string) (rule, bool) {
	first, rest, _ := strings.Cut(eventType, ".")
	second, _, _ := strings.Cut(rest, ".")
	if second != "" {
		if r, ok := rules[eventType[:len(first)+1+len(second)]]; ok {
			return r, true
		}
	}
	r, ok := rules[first]
	return r, ok
}

// agreed is the one string that all of the places name.
func agreed(n *event.Notification, places []json.Pointer) string {
	found := ""
	for _, p := range places {
		text := n.Keep(n.Get(p))
		if found != "" && text != "" && text != found {
			return ""
		}
		if text != "" {
			found = text
		}
	}
	return found
}

// What heat says of who acted. A context that heat made from stored credentials has
// no user.
var (
	stackTenant  = paths("/payload/tenant_id")[0]
	stackUser    = paths("/payload/user_identity")[0]
	actorProject = paths("/_context_project_id")[0]
	actorIsAdmin = paths("/_context_is_admin")[0]
)

// stackOwner is the project that a stack belongs to, if heat can be relied on for
// it. Its tenant_id is the project of the request's context. A user who is no admin
// reaches no stack but those of that project (_stack_get in heat/db/api.py), so then
// it is the owner's. Admins reach all stacks, and what is done with stored
// credentials, by a trust, is done in the project of whoever stored them.
func stackOwner(n *event.Notification) string {
	tenant := n.Keep(n.Get(stackTenant))
	if n.Get(actorIsAdmin).Kind() != json.False || n.Keep(n.Get(actorProject)) != tenant || n.Keep(n.Get(stackUser)) == "" {
		return ""
	}
	return tenant
}

// neutronOwner reads payload.<resource>, or its plural where several were
// created at once, which have one owner if they agree.
//
// A `.start` has no owner, even if it names one: neutron tells it before the
// policy check (NotifierHook comes before PolicyHook), with the request's body
// as the payload, so its project_id is whatever the caller cared to write.
func neutronOwner(n *event.Notification, name string) {
	body := n.Root().Member("payload")
	one := body.Member(name)
	if n.Resource = n.Keep(one.Member("id")); n.Resource == "" {
		n.Resource = idBeside(n, body, name)
	}
	if strings.HasSuffix(n.Type, ".start") {
		return
	}
	if one.Kind() == json.Object {
		n.Project, _ = neutronProject(n, one)
		return
	}
	for each := range plural(body, name).Elements() {
		project, ok := neutronProject(n, each)
		if !ok || n.Project != "" && project != n.Project {
			n.Project = ""
			return
		}
		n.Project = project
	}
}

// neutronProject reads project_id, or tenant_id, its older name; where both are
// there, they agree.
func neutronProject(n *event.Notification, resource json.Value) (string, bool) {
	project, tenant := n.Keep(resource.Member("project_id")), n.Keep(resource.Member("tenant_id"))
	switch {
	case project == "":
		return tenant, tenant != ""
	case tenant != "" && tenant != project:
		return "", false
	}
	return project, true
}

// idBeside finds the id if it is not in the resource: a deletion has it as
// <resource>_id, the start of an update as id.
func idBeside(n *event.Notification, body json.Value, name string) string {
	var buffer [64]byte
	key := append(append(buffer[:0], name...), "_id"...)
	if id := n.Keep(body.Member(string(key))); id != "" {
		return id
	}
	return n.Keep(body.Member("id"))
}

// plural is neutron's: policies, security_groups.
func plural(body json.Value, name string) json.Value {
	var buffer [64]byte
	key := append(buffer[:0], name...)
	if bytes.HasSuffix(key, []byte("y")) {
		key = append(key[:len(key)-1], "ies"...)
	} else {
		key = append(key, 's')
	}
	return body.Member(string(key))
}
