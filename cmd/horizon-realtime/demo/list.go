package demo

import "time"

// View is what a page draws itself from: what Horizon would have asked the
// services' APIs for.
type View struct {
	Project   string            `json:"project"`
	ProjectID string            `json:"project_id"`
	User      string            `json:"user"`
	Channel   string            `json:"channel"`
	Instances []Row             `json:"instances"`
	Images    map[string]string `json:"images"` // id → name, as glance would tell
	Flavors   []string          `json:"flavors"`
	Limit     int               `json:"limit"` // of servers
	Life      bool              `json:"life"`  // the background life is on
	// Position is where the router's stream stood before the rows were read: a
	// page that subscribes from there misses nothing.
	Position Position `json:"position"`
}

// Position is a place in the router's stream of publications.
type Position struct {
	Epoch  string `json:"epoch"`
	Offset uint64 `json:"offset"`
}

// Row is one server, in the shape of a panel message, so that a page draws both
// alike.
type Row struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	ProjectID string  `json:"project_id"`
	UserID    string  `json:"user_id"`
	Status    string  `json:"status"`
	Task      *string `json:"task"`
	At        string  `json:"at"` // of the last notification, RFC 3339 with milliseconds
	Data      RowData `json:"data"`
}

// RowData are the columns of the instances table.
type RowData struct {
	ImageID    string    `json:"image_id"`
	Addresses  []Address `json:"addresses"`
	Flavor     string    `json:"flavor"`
	KeyName    *string   `json:"key_name"`
	Zone       string    `json:"availability_zone"`
	PowerState string    `json:"power_state"`
	CreatedAt  string    `json:"created_at"`
}

// Address is an address of a server on a network.
type Address struct {
	Address string `json:"address"`
	Network string `json:"network"`
}

// Instances is the project's part of a View; its Position is the caller's to
// set, read before.
//
// # Errors
//
// ErrNotFound for an unknown project.
func (c *Cloud) Instances(project string) (View, error) {
	p, err := projectByName(project)
	if err != nil {
		return View{}, err
	}
	v := View{
		Project: p.Name, ProjectID: p.ID, User: p.User.Name, Channel: "project/" + p.ID + "/instances",
		Instances: []Row{}, Images: map[string]string{}, Limit: c.opts.MaxServers, Life: c.Alive(),
	}
	for _, i := range images {
		v.Images[i.ID] = i.Name
	}
	for _, f := range flavors {
		v.Flavors = append(v.Flavors, f.Name)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, s := range c.of(p) {
		v.Instances = append(v.Instances, s.row())
	}
	return v, nil
}

func (s *server) row() Row {
	r := Row{
		ID: s.id, Name: s.name, ProjectID: s.project.ID, UserID: s.project.User.ID,
		Status: s.apiStatus(), Task: orNull(s.task), At: s.told.UTC().Format("2006-01-02T15:04:05.000Z"),
		Data: RowData{
			ImageID: s.image.ID, Addresses: []Address{}, Flavor: s.flavor.Name, KeyName: orNull(s.keyName),
			Zone: availabilityZone, PowerState: s.power, CreatedAt: zulu(s.created),
		},
	}
	if s.told.IsZero() { // launched a moment ago: nova has not told of it yet
		r.At = s.created.UTC().Format(time.RFC3339)
	}
	if s.ip != "" {
		r.Data.Addresses = append(r.Data.Addresses, Address{s.ip, s.project.Name})
	}
	return r
}
