package main

import (
	stdjson "encoding/json"
	"errors"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// native is the plugins as functions of the host: no border, no bounds.
type native struct {
	n               *event.Notification
	text            []byte
	id, name, state json.Pointer
	channel         string
	payload         []byte
}

func newNative(n *event.Notification) *native {
	return &native{n: n, text: n.Raw(), id: pointer("/payload/instance_id"),
		name: pointer("/payload/display_name"), state: pointer("/payload/state")}
}

// pointer is a constant's.
func pointer(s string) json.Pointer {
	p, err := json.ParsePointer(s)
	if err != nil {
		panic(err)
	}
	return p
}

// routed is what the plugin route makes.
type routed struct {
	V      int    `json:"v"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// fromIndex starts from what the host has indexed already.
func (f *native) fromIndex(guest string) error {
	if guest == "drop" {
		return f.answer(guest, "", "", "", f.n.Get(f.state).Text())
	}
	return f.answer(guest, f.n.Project, f.n.Get(f.id).Text(), f.n.Get(f.name).Text(), f.n.Get(f.state).Text())
}

// fromText starts from the message's JSON text.
func (f *native) fromText(guest string) error {
	var m struct {
		Payload struct {
			TenantID    string `json:"tenant_id"`
			InstanceID  string `json:"instance_id"`
			DisplayName string `json:"display_name"`
			State       string `json:"state"`
		} `json:"payload"`
	}
	if err := stdjson.Unmarshal(f.text, &m); err != nil {
		return err
	}
	p := &m.Payload
	return f.answer(guest, p.TenantID, p.InstanceID, p.DisplayName, p.State)
}

func (f *native) answer(guest, project, id, name, state string) (err error) {
	if state == "" {
		return errors.New("the message has no state")
	}
	if guest == "drop" {
		return nil
	}
	f.channel = "project/" + project + "/instances"
	f.payload, err = stdjson.Marshal(routed{V: 1, Kind: "server", ID: id, Name: name, Status: state})
	return err
}
