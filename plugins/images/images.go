// Package images is the plugin behind Horizon's images tables: glance's
// notifications.
//
//	project/<owner>/images    the owner's images
//	admin/images              all images
//	public/images             public images, with public = true, and the grant cross_project
//
// With whom an image is shared, glance tells without saying whose it is, so that
// only asking it helps there.
package images

import (
	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "images", Grants: []string{"admin", "shared"},
		On: []string{
			"image.create", "image.prepare", "image.upload", "image.activate",
			"image.deactivate", "image.reactivate", "image.update", "image.delete",
		},
		Start:  start,
		Handle: handle,
	})
}

var (
	id         = sdk.Want("/payload/id")
	name       = sdk.Want("/payload/name")
	status     = sdk.Want("/payload/status")
	visibility = sdk.Want("/payload/visibility")
	protected  = sdk.Want("/payload/protected")
	disk       = sdk.Want("/payload/disk_format")
	container  = sdk.Want("/payload/container_format")
	size       = sdk.Want("/payload/size")
	minDisk    = sdk.Want("/payload/min_disk")
	minRAM     = sdk.Want("/payload/min_ram")
	imageType  = sdk.Want("/payload/properties/image_type")
	created    = sdk.Want("/payload/created_at")
	updated    = sdk.Want("/payload/updated_at")
)

var toPublic bool

// start reads the configuration.
//
//	admin = false    send nothing to admin/images
//	public = true    send public images to public/images; needs the grant cross_project
//
// # Errors
//
// A key is unknown or its value no boolean.
func start(config sdk.Value) error { return panel.ConfigureAnd(config, "public", &toPublic) }

func handle(e *panel.Event) {
	m := panel.Message{
		Topic: "images", Kind: "image", ID: e.Get(id).Text(), Action: panel.Update,
		Name: e.Get(name), Status: e.Get(status), Task: sdk.NullValue(), Error: sdk.NullValue(),
	}
	if m.ID == "" { // a failed upload has a text for a payload
		return
	}
	switch {
	case e.Type() == "image.create":
		m.Action = panel.Create
	case e.Type() == "image.delete", m.Status.Text() == "deleted":
		m.Action = panel.Delete
	}
	if toPublic {
		hide(e, &m)
	}
	d := panel.Begin(e, &m)
	d.Data.Value("visibility", e.Get(visibility))
	d.Data.Value("protected", e.Get(protected))
	d.Data.Value("disk_format", e.Get(disk))
	d.Data.Value("container_format", e.Get(container))
	d.Data.Value("size", e.Get(size))
	d.Data.Value("min_disk", e.Get(minDisk))
	d.Data.Value("min_ram", e.Get(minRAM))
	d.Data.Value("image_type", e.Get(imageType)) // snapshot, if nova made it
	panel.Time(&d.Data, "created_at", e.Get(created))
	panel.Time(&d.Data, "updated_at", e.Get(updated))
	d.ToProject()
	d.ToAdmin()
	if toPublic && e.Get(visibility).Text() == "public" {
		d.To(sdk.Public(m.Topic))
		remember(e, &m)
	}
}

// remember keeps the ids of images that everybody has been told of, so that
// everybody can be told when one is public no more.
func remember(e *panel.Event, m *panel.Message) {
	if m.Action == panel.Delete {
		e.KVDelete(panel.Key(m.ID))
		return
	}
	e.KVSet(panel.Key(m.ID), "public", 0)
}

// hide removes an image from everybody's tables that was public and is not any
// more; what else changed is not theirs to know.
func hide(e *panel.Event, m *panel.Message) {
	if e.Get(visibility).Text() == "public" || !e.KVDelete(panel.Key(m.ID)) {
		return
	}
	o := e.Object()
	o.Int("v", 1)
	o.String("event", e.Type())
	o.String("kind", m.Kind)
	o.String("action", string(panel.Delete))
	o.String("id", m.ID)
	o.String("at", e.Time())
	e.EmitRemoved(sdk.Public(m.Topic), panel.Key(m.ID), o)
}
