package tables

import (
	"strings"

	"horizon-realtime/plugins/panel"
	"horizon-realtime/sdk"
)

// table is one kind of a service's things, and how its notifications become rows.
// Columns have the service's own names.
type table struct {
	topic, kind string
	// publisher is what the publisher's name begins with, where another service
	// has events of the same names. Empty: anybody's.
	publisher string
	// events are the event types that change the table, by what they do to it.
	create, update, remove []string
	// at is where the members are: a JSON Pointer with a slash at its end.
	at string
	// id, name and status are members; there need not be a name or a status.
	id, name, status string
	// columns are the members that the table shows, each `member` or, if it is
	// deeper down, `key=pointer`; the last adminOnly of them the service keeps from
	// tenants.
	columns   []string
	adminOnly int
	// adapt puts right what the service tells otherwise than its API; nil where
	// there is nothing to do. False: the notification is not to be told.
	adapt func(e *panel.Event, m *panel.Message) bool
}

// events are all that change the table.
func (t *table) events() (all []string) {
	for _, list := range [...][]string{t.create, t.update, t.remove} {
		all = append(all, list...)
	}
	return all
}

// does says what an event does to the table.
func (t *table) does(event string) (action panel.Action, ok bool) {
	for _, list := range [...]struct {
		events []string
		action panel.Action
	}{{t.create, panel.Create}, {t.update, panel.Update}, {t.remove, panel.Delete}} {
		for _, each := range list.events {
			if each == event {
				return list.action, true
			}
		}
	}
	return "", false
}

// tell sends a row's message.
func (t *table) tell(e *panel.Event, action panel.Action) {
	m := panel.Message{
		Topic: t.topic, Kind: t.kind, Action: action, Task: sdk.NullValue(), Error: sdk.NullValue(),
		ID: e.Field(t.at + t.id).Text(),
	}
	if t.name != "" {
		m.Name = e.Field(t.at + t.name)
	}
	if t.status != "" {
		m.Status = e.Field(t.at + t.status)
	}
	if t.adapt != nil && !t.adapt(e, &m) || m.ID == "" {
		return
	}
	d := panel.Begin(e, &m)
	tenants := len(t.columns) - t.adminOnly
	t.write(e, &d.Data, t.columns[:tenants])
	d.ToProject()
	t.write(e, &d.Data, t.columns[tenants:])
	d.ToAdmin()
}

// write adds columns.
func (t *table) write(e *panel.Event, o *panel.Columns, columns []string) {
	for _, column := range columns {
		key, member, deeper := strings.Cut(column, "=")
		if !deeper {
			member = key
		}
		v := e.Field(t.at + member)
		if strings.HasSuffix(key, "_at") || strings.HasSuffix(key, "_date") || strings.HasSuffix(key, "_time") {
			panel.Time(o, key, v)
		} else {
			o.Value(key, v)
		}
	}
}

// failed says that a status is one of failure, for whose reason a page has to ask.
func failed(m *panel.Message) {
	if text := m.Status.Text(); strings.HasPrefix(text, "ERR") || strings.HasPrefix(text, "err") || strings.HasSuffix(text, "_error") {
		m.Error = sdk.Value{}
	}
}
