// Package keypairs is the plugin behind Horizon's key pairs table: nova's
// notifications about key pairs, in their legacy and their versioned format.
//
//	user/<owner>/keypairs    a key pair is a user's, in all of their projects
package keypairs

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "keypairs", Grants: []string{"admin", "shared"},
		On: []string{
			"keypair.create.end", "keypair.import.end", "keypair.delete.end",
		},
		Handle: handle,
	})
}

const data = "/payload/nova_object.data/"

var (
	legacyName  = sdk.Want("/payload/key_name")
	name        = sdk.Want(data + "name")
	keyType     = sdk.Want(data + "type")
	fingerprint = sdk.Want(data + "fingerprint")
	publicKey   = sdk.Want(data + "public_key")
)

// handle tells of a key pair, whose name is its id: in nova's API, in Horizon's
// rows, and unique for a user.
func handle(e *panel.Event) {
	id := e.Get(name)
	if !id.Known() {
		id = e.Get(legacyName)
	}
	if id.Text() == "" {
		return
	}
	m := panel.Message{Topic: "keypairs", Kind: "keypair", ID: id.Text(), Name: id, Action: panel.Create}
	if strings.HasSuffix(e.Type(), "delete.end") {
		m.Action = panel.Delete
	}
	d := panel.Begin(e, &m)
	if m.Action == panel.Create {
		d.Data.Value("type", e.Get(keyType))
		d.Data.Value("fingerprint", e.Get(fingerprint))
		d.Data.Value("public_key", e.Get(publicKey))
	}
	d.ToUser()
}
