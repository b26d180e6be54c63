package oslo

import (
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

// What no recorded message shows: the services that were not recorded, several
// resources at once, and messages that contradict themselves.
func TestOwner(t *testing.T) {
	for name, tc := range map[string]struct {
		eventType, payload      string
		project, user, resource string
	}{
		"heat: the actor's project":        {"orchestration.stack.create.end", `{"tenant_id":"p","user_identity":"u","stack_identity":"s"}`, "", "", "s"},
		"nova's conductor":                 {"compute_task.migrate_server", `{"instance_id":"i","instance_properties":{"project_id":"p","user_id":"u"}}`, "p", "u", "i"},
		"nova's conductor, versioned":      {"compute_task.build_instances.error", `{"nova_object.data":{"instance_uuid":"i","request_spec":{"nova_object.data":{"project_id":"p","user_id":"u"}}}}`, "p", "u", "i"},
		"nova's conductor, without spec":   {"compute_task.rebuild_server", `{"instance_id":"i","instance_properties":{},"request_spec":{}}`, "", "", "i"},
		"cinder's scheduler":               {"scheduler.create_volume", `{"volume_id":"v","volume_properties":{"project_id":"p","user_id":"u"},"request_spec":{"volume":{"project_id":"p"}}}`, "p", "u", "v"},
		"cinder's scheduler, two owners":   {"scheduler.create_volume", `{"volume_id":"v","volume_properties":{"project_id":"p"},"request_spec":{"volume":{"project_id":"q"}}}`, "", "", "v"},
		"cinder's scheduler, other things": {"scheduler.retype", `{"volume_id":"v","volume_properties":{"project_id":"p"}}`, "", "", ""},
		"octavia":                          {"octavia.loadbalancer.update.end", `{"project_id":"p","loadbalancer_id":"l"}`, "p", "", "l"},
		"magnum":                           {"magnum.cluster.create", `{"initiator":{"project_id":"x"},"target":{"id":"c","attachments":[{"content":{"project_id":"p"}}]}}`, "p", "", "c"},
		"designate":                        {"dns.zone.create", `{"id":"z","tenant_id":"p"}`, "p", "", "z"},
		"designate, serialized":            {"dns.recordset.update", `{"designate_object.name":"RecordSet","designate_object.data":{"id":"r","tenant_id":"p"}}`, "p", "", "r"},
		"ironic":                           {"baremetal.node.power_set.end", `{"ironic_object.data":{"uuid":"n","owner":"p"}}`, "", "", "n"},
		"trove, whose user acted":          {"trove.instance.create", `{"instance_id":"i","tenant_id":"p","user_id":"u"}`, "p", "", "i"},
		"trove's API, where all acted":     {"dbaas.instance_restart.start", `{"instance_id":"i","tenant_id":"p"}`, "", "", "i"},
		"blazar":                           {"lease.create", `{"lease_id":"l","project_id":"p","user_id":"u"}`, "p", "u", "l"},
		"aodh, a new alarm":                {"alarm.creation", `{"alarm_id":"a","project_id":"q","on_behalf_of":"q","detail":{"project_id":"p"}}`, "p", "", "a"},
		"aodh, a change":                   {"alarm.rule_change", `{"alarm_id":"a","project_id":"q","on_behalf_of":"p","detail":{}}`, "p", "", "a"},
		"aodh, a state":                    {"alarm.state_transition", `{"alarm_id":"a","project_id":"q","on_behalf_of":"p","detail":"{}"}`, "p", "", "a"},
		"aodh, a deletion":                 {"alarm.deletion", `{"alarm_id":"a","project_id":"q","on_behalf_of":"q"}`, "", "", "a"},
		"masakari's segment":               {"segment.create.end", `{"masakari_object.data":{"uuid":"s","project_id":"p"}}`, "", "", "s"},
		"neutron's segment":                {"segment.create.end", `{"segment":{"id":"s","project_id":"p"}}`, "", "", "s"},
		"watcher":                          {"audit.create", `{"watcher_object.data":{"uuid":"a"}}`, "", "", "a"},
		"neutron's VPN":                    {"vpnservice.create.end", `{"vpnservice":{"id":"v","project_id":"p"}}`, "p", "", "v"},
		"neutron's port forwarding":        {"port_forwarding.create.end", `{"port_forwarding":{"id":"f"}}`, "", "", "f"},
		"manila":                           {"share.create.end", `{"share_id":"s","project_id":"p","user_id":"u"}`, "p", "u", "s"},
		"cinder's backup":                  {"backup.create.end", `{"backup_id":"b","tenant_id":"p","user_id":"u","volume_id":"v"}`, "p", "u", "b"},
		"glance's task":                    {"task.create", `{"id":"t","owner":"p"}`, "p", "", "t"},
		"neutron in bulk":                  {"network.create.end", `{"networks":[{"id":"a","project_id":"p"},{"id":"b","tenant_id":"p"}]}`, "p", "", ""},
		"neutron in bulk, with a y":        {"policy.create.end", `{"policies":[{"project_id":"p"}]}`, "p", "", ""},
		"neutron in bulk for two":          {"network.create.end", `{"networks":[{"project_id":"p"},{"project_id":"q"}]}`, "", "", ""},
		"neutron in bulk, one silent":      {"network.create.end", `{"networks":[{"project_id":"p"},{}]}`, "", "", ""},
		"neutron in bulk, none":            {"network.create.end", `{"networks":[]}`, "", "", ""},
		"neutron, bulk start":              {"network.create.start", `{"networks":[{"project_id":"p"}]}`, "", "", ""},
		"neutron, two owners":              {"port.update.end", `{"port":{"id":"i","project_id":"p","tenant_id":"q"}}`, "", "", "i"},
		"neutron, the last of two members": {"port.update.end", `{"port":{"id":"i","project_id":"p","project_id":"q"}}`, "q", "", "i"},
		"neutron, an empty project":        {"port.update.end", `{"port":{"id":"i","project_id":"","tenant_id":""}}`, "", "", "i"},
		"neutron, another's resource":      {"port.update.end", `{"network":{"id":"i","project_id":"p"}}`, "", "", ""},
		"neutron, deleted by id alone":     {"port.delete.end", `{"port_id":"i"}`, "", "", "i"},
		"the context is not asked":         {"compute.instance.update", `{}`, "", "", ""},
		"a number is no project":           {"compute.instance.update", `{"tenant_id":5,"instance_id":["i"]}`, "", "", ""},
		"the wrong format's member":        {"instance.update", `{"tenant_id":"p","uuid":"i"}`, "", "", ""},
		"a path is no project":             {"compute.instance.update", `{"tenant_id":"p/instances","user_id":"*","instance_id":"i"}`, "", "", "i"},
		"a project too long for a channel": {"port.update.end", `{"port":{"id":"i","project_id":"` + strings.Repeat("p", 65) + `"}}`, "", "", "i"},
		"an unknown service":               {"sahara.cluster.create", `{"tenant_id":"p","project_id":"p"}`, "", "", ""},
		"no segment":                       {"instance", `{"nova_object.data":{"tenant_id":"p"}}`, "p", "", ""},
		"an empty segment":                 {"compute..update", `{"tenant_id":"p"}`, "", "", ""},
		"no payload object":                {"network.create.end", `"text"`, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"event_type":"` + tc.eventType + `","_context_project_id":"actor","_context_user_id":"actor","payload":` + tc.payload + `}`
			var n event.Notification
			if err := NewDecoder(Config{}).Decode(&n, []byte(body), ""); err != nil {
				t.Fatal(err)
			}
			if n.Project != tc.project || n.User != tc.user || n.Resource != tc.resource {
				t.Errorf("project %q, user %q, resource %q", n.Project, n.User, n.Resource)
			}
		})
	}
}

// Heat's tenant_id is who acted. Only of a user who is no admin it is the owner too.
func TestOwnerOfAStack(t *testing.T) {
	for name, tc := range map[string]struct{ context, payload, project string }{
		"a member":                      {`"_context_is_admin":false,"_context_project_id":"p"`, `"tenant_id":"p","user_identity":"u"`, "p"},
		"an admin":                      {`"_context_is_admin":true,"_context_project_id":"p"`, `"tenant_id":"p","user_identity":"u"`, ""},
		"nobody knows":                  {`"_context_project_id":"p"`, `"tenant_id":"p","user_identity":"u"`, ""},
		"a word is no answer":           {`"_context_is_admin":"false","_context_project_id":"p"`, `"tenant_id":"p","user_identity":"u"`, ""},
		"null is no answer":             {`"_context_is_admin":null,"_context_project_id":"p"`, `"tenant_id":"p","user_identity":"u"`, ""},
		"a trust, which has no user":    {`"_context_is_admin":false,"_context_project_id":"p"`, `"tenant_id":"p","user_identity":null`, ""},
		"the context's another project": {`"_context_is_admin":false,"_context_project_id":"q"`, `"tenant_id":"p","user_identity":"u"`, ""},
		"the context has no project":    {`"_context_is_admin":false`, `"tenant_id":"p","user_identity":"u"`, ""},
		"nobody has a project":          {`"_context_is_admin":false`, `"user_identity":"u"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var n event.Notification
			body := `{"message_id":"m","event_type":"orchestration.stack.create.end","timestamp":"2026-11-23 10:00:00.000000",` + tc.context +
				`,"payload":{"stack_identity":"s",` + tc.payload + `}}`
			if err := NewDecoder(DefaultConfig()).Decode(&n, []byte(body), ""); err != nil {
				t.Fatal(err)
			}
			if n.Project != tc.project || n.User != "" || n.Resource != "s" {
				t.Errorf("project %q, user %q, resource %q", n.Project, n.User, n.Resource)
			}
		})
	}
}
