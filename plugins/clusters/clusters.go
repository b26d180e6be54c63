// Package clusters is the plugin behind magnum's table of clusters.
//
//	project/<owner>/clusters
//
// Magnum tells when an operation begins and how it ended. It does not tell of a
// cluster's health, nor of cluster templates and node groups.
package clusters

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "clusters", Grants: []string{"admin", "shared"},
		On: []string{"magnum.cluster.*"}, Handle: handle,
	})
}

// content is where magnum puts the cluster into the CADF event.
const content = "/payload/target/attachments/0/content/"

var (
	id      = sdk.Want("/payload/target/id")
	name    = sdk.Want("/payload/target/name")
	outcome = sdk.Want("/payload/outcome")
	status  = sdk.Want(content + "status")
	reason  = sdk.Want(content + "status_reason")
	created = sdk.Want(content + "created_at")
	updated = sdk.Want(content + "updated_at")
)

// columns are what the table and its details show besides, by magnum's names.
var columns = []struct {
	key   string
	field sdk.Field
}{
	{"cluster_template_id", sdk.Want(content + "cluster_template_id")},
	{"keypair", sdk.Want(content + "keypair")},
	{"master_count", sdk.Want(content + "master_count")},
	{"node_count", sdk.Want(content + "node_count")},
	{"master_flavor_id", sdk.Want(content + "master_flavor_id")},
	{"flavor_id", sdk.Want(content + "flavor_id")},
	{"stack_id", sdk.Want(content + "stack_id")},
	{"api_address", sdk.Want(content + "api_address")},
	{"master_addresses", sdk.Want(content + "master_addresses")},
	{"node_addresses", sdk.Want(content + "node_addresses")},
	{"health_status", sdk.Want(content + "health_status")},
	{"create_timeout", sdk.Want(content + "create_timeout")},
}

func handle(e *panel.Event) {
	m := panel.Message{
		Topic: "clusters", Kind: "cluster", ID: e.Get(id).Text(), Action: panel.Update,
		Name: e.Get(name), Status: e.Get(status), Error: sdk.NullValue(),
	}
	if m.ID == "" {
		return
	}
	action, how := strings.TrimPrefix(e.Type(), "magnum.cluster."), e.Get(outcome).Text()
	switch {
	case how == "pending":
		// Magnum tells before it sets the status, but for creations.
		m.Status = sdk.StringValue(panel.Upper(action) + "_IN_PROGRESS")
		if action == "create" {
			m.Action = panel.Create
		}
	case how == "success" && action == "delete":
		m.Action = panel.Delete
	case how == "failure" && action == "delete":
		m.Status = sdk.StringValue("DELETE_FAILED") // likewise
	}
	if strings.HasSuffix(m.Status.Text(), "_FAILED") && how == "failure" {
		m.Error = sentence(e.Get(reason))
	}
	d := panel.Begin(e, &m)
	for _, c := range columns {
		d.Data.Value(c.key, e.Get(c.field))
	}
	panel.Time(&d.Data, "created_at", e.Get(created))
	panel.Time(&d.Data, "updated_at", e.Get(updated))
	d.ToProject()
}

// sentence is the reason, absent where magnum gives none, so that a panel asks.
func sentence(v sdk.Value) sdk.Value {
	if v.Text() == "" {
		return sdk.Value{}
	}
	return sdk.StringValue(panel.Sentence(v.Text()))
}
