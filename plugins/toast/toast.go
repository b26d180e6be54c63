// Package toast is the plugin behind the little messages in a page's corner:
// what happened to my servers, volumes, snapshots and backups, in words. It
// tells notable ends and all errors, and no progress.
//
//	user/<owner>/toasts
//
// Only nova and cinder say which user a resource belongs to, so nobody else's
// resources can be told of. A toast is a panel message whose data are
//
//	{"level":"success|error", "code":"server.suspend", "text":"Server web was suspended", "by_other":false}
//
// and whose key is the resource's id: a later toast about it takes the place of
// the earlier one. by_other says that somebody else did it; it is left out where
// that is not known.
package toast

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

func init() {
	panel.Register(panel.Plugin{
		Name: "toast", Grants: []string{"shared"},
		Topics: []string{"toasts"},
		On: []string{
			"compute.instance.*", "instance.*", "compute_task.*",
			"volume.*", "snapshot.*", "backup.*", "scheduler.create_volume",
		},
		Handle: handle,
	})
}

const (
	data    = "/payload/nova_object.data/"
	faultAt = data + "fault/nova_object.data/"
)

// resource is where a service has what a toast is about.
type resource struct {
	kind, noun      string
	id, name        sdk.Field
	state, oldState sdk.Field
}

var (
	legacyServer = resource{
		kind: "server", noun: "Server",
		id: sdk.Want("/payload/instance_id"), name: sdk.Want("/payload/display_name"),
		state: sdk.Want("/payload/state"), oldState: sdk.Want("/payload/old_state"),
	}
	server = resource{
		kind: "server", noun: "Server",
		id: sdk.Want(data + "uuid"), name: sdk.Want(data + "display_name"),
		state:    sdk.Want(data + "state_update/nova_object.data/state"),
		oldState: sdk.Want(data + "state_update/nova_object.data/old_state"),
	}
	volume   = resource{kind: "volume", noun: "Volume", id: sdk.Want("/payload/volume_id"), name: legacyServer.name, state: status}
	snapshot = resource{kind: "snapshot", noun: "Snapshot", id: sdk.Want("/payload/snapshot_id"), name: legacyServer.name, state: status}
	backup   = resource{kind: "backup", noun: "Backup", id: sdk.Want("/payload/backup_id"), name: legacyServer.name, state: status}

	status  = sdk.Want("/payload/status")
	message = sdk.Want("/payload/message")
	why     = sdk.Want("/payload/fail_reason")
	fault   = sdk.Want(faultAt + "exception")
	actor   = sdk.Want("/_context_user_id")
)

// subject is a resource that something happened to.
type subject struct {
	kind, noun, id string
	name           sdk.Value
}

func (r *resource) of(e *panel.Event) subject {
	return subject{r.kind, r.noun, e.Get(r.id).Text(), e.Get(r.name)}
}

func handle(e *panel.Event) {
	if e.User() == "" {
		return
	}
	name := e.Type()
	if event, ok := strings.CutPrefix(name, "compute.instance."); ok {
		ofServer(e, &legacyServer, event)
	} else if event, ok := strings.CutPrefix(name, "instance."); ok {
		ofServer(e, &server, event)
	} else if task, ok := strings.CutPrefix(name, "compute_task."); ok {
		unplaced(e, strings.TrimSuffix(task, ".error"))
	} else if name == "scheduler.create_volume" {
		unbacked(e)
	} else if strings.HasPrefix(name, "volume.") {
		ofStorage(e, &volume)
	} else if strings.HasPrefix(name, "snapshot.") {
		ofStorage(e, &snapshot)
	} else {
		ofStorage(e, &backup)
	}
}

// ofServer tells of a server. That one is in error without more ado (nobody had
// room for it), only its update says.
func ofServer(e *panel.Event, r *resource, event string) {
	if event == "update" {
		if e.Get(r.state).Text() == "error" && e.Get(r.oldState).Text() != "error" {
			about := r.of(e)
			e.KVSet(named(about.id), panel.Sentence(about.name.Text()), nameMemory)
			failed(e, &about, phrase{"server.error", "is in error"}, "")
		}
		return
	}
	action, phase := cutLast(event)
	if phase != "end" && phase != "error" {
		return
	}
	about := r.of(e)
	for _, name := range versioned {
		if name.legacy == action {
			action = name.versioned
		}
	}
	said, notable := find(servers, action)
	switch {
	case phase == "error":
		if !notable {
			said = phrase{"server." + action, ""}
		}
		reason := panel.Sentence(e.Get(message).Text())
		if e.Get(fault).Known() {
			reason = panel.Exception(e, faultAt)
		}
		failed(e, &about, phrase{said.code, "failed to " + verb(action)}, reason)
	case notable:
		done(e, &about, said)
	}
}

// unplaced is nova's conductor telling why a server was not built or moved. It
// does not tell the server's name; the update that went before did.
func unplaced(e *panel.Event, task string) {
	id, _, reason := panel.Unplaced(e)
	if id == "" || reason == "" {
		return
	}
	name := sdk.Value{}
	if text, _ := e.KVGet(named(id)); text != "" {
		name = sdk.StringValue(text)
	}
	said := phrase{"server.create", "failed to build"}
	switch task {
	case "migrate_server":
		said = phrase{"server.migrate", "was not moved"}
	case "rebuild_server":
		said = phrase{"server.rebuild", "failed to rebuild"}
	}
	failed(e, &subject{"server", "Server", id, name}, said, reason)
}

// named is where the store has the name of a server that went into error.
func named(id string) string { return "name of " + panel.Key(id) }

// nameMemory is for how many seconds: the conductor tells within one.
const nameMemory = 600

// unbacked is cinder's scheduler telling why a volume was not made.
func unbacked(e *panel.Event) {
	about := volume.of(e)
	about.name = e.Field("/payload/volume_properties/display_name")
	failed(e, &about, phrase{"volume.create", "failed to create"}, panel.Unbacked(e))
}

// ofStorage tells of something of cinder's. Where cinder tells at all that an
// attempt failed, it does with an `.end`, and says so in the status.
func ofStorage(e *panel.Event, r *resource) {
	action, phase := cutLast(e.Type())
	if phase != "end" && phase != "error" {
		return
	}
	about := r.of(e)
	state := e.Get(r.state).Text()
	said, notable := find(storage, action)
	switch {
	case phase == "error", notable && strings.HasPrefix(state, "error"):
		_, verb := cutLast(action)
		failed(e, &about, phrase{action, "failed to " + verb}, panel.Sentence(e.Get(why).Text()))
	case notable:
		done(e, &about, said)
	}
}

// cutLast splits at the last point.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

func done(e *panel.Event, about *subject, said phrase) {
	if first(e, about, said.code) {
		tell(e, about, "success", said, "")
	}
}

// failed tells of an error. An error comes in several notifications, of which
// some say why: one of these is told, or else the first.
func failed(e *panel.Event, about *subject, said phrase, reason string) {
	toldWhy := "why " + said.code
	if reason == "" {
		if first(e, about, "error") {
			tell(e, about, "error", said, "")
		}
		return
	}
	first(e, about, "error")
	if first(e, about, toldWhy) {
		tell(e, about, "error", said, reason)
	}
}

// first reports whether this has not been said yet, of this resource and because
// of this request.
func first(e *panel.Event, about *subject, what string) bool {
	cause := e.RequestID()
	if cause == "" {
		cause = e.MessageID()
	}
	return panel.Once(e, about.id, cause, what)
}

func tell(e *panel.Event, about *subject, level string, said phrase, reason string) {
	if about.id == "" {
		return
	}
	m := panel.Message{
		Topic: "toasts", Kind: about.kind, Action: action(said.code), ID: about.id,
		Name: about.name, Error: sdk.NullValue(),
	}
	text := about.noun + " " + about.called() + " " + said.said
	if reason != "" {
		m.Error = sdk.StringValue(reason)
		text += ": " + reason
	}
	d := panel.Begin(e, &m)
	d.Data.String("level", level)
	d.Data.String("code", said.code)
	d.Data.String("text", text)
	if v := e.Get(actor); v.Text() != "" {
		d.Data.Bool("by_other", v.Text() != e.User())
	}
	// Not by the draft: a toast about a deletion is there, and not removed.
	e.Emit(sdk.User(e.User(), m.Topic), panel.Key(m.ID), d.Data.ObjectBuilder)
}

func action(code string) panel.Action {
	switch _, what := cutLast(code); what {
	case "create":
		return panel.Create
	case "delete", "soft_delete":
		return panel.Delete
	}
	return panel.Update
}

// called is the resource's name, or its id if it has none.
func (s *subject) called() string {
	if s.name.Text() == "" {
		return s.id
	}
	return panel.Sentence(s.name.Text())
}
