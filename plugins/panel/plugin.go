package panel

import "horizon-realtime/sdk"

// Plugin is a stock plugin: a sdk.Filter that is called for news only, and reads
// no more than it can bear.
type Plugin struct {
	// Name, Topics and Grants are those of sdk.Filter: the plugin's table in
	// router.toml, what it emits to, and what it needs. The router grants it.
	Name           string
	Topics, Grants []string
	On             []string
	Start          func(config sdk.Value) error
	Handle         func(e *Event)
}

// Register makes p a plugin of the module. It is called once per plugin, from an
// init function of its package; an instance starts one of them.
func Register(p Plugin) {
	start := func(config sdk.Value) error {
		handler = p.Handle
		if p.Start == nil {
			return nil
		}
		return p.Start(config)
	}
	sdk.Register(sdk.Filter{Name: p.Name, On: p.On, Topics: p.Topics, Grants: p.Grants, Start: start, Handle: handle})
}

func handle(e *sdk.Event) {
	current = Event{Event: e}
	if news(&current) {
		handler(&current)
	}
}

// Event is one notification as a stock plugin sees it. Of what it reads, a value
// that is too long is absent: most are written by tenants, services let them be
// long (a property of an image has up to 64 KiB, a server up to thousands of
// addresses), and reading them costs fuel.
type Event struct {
	*sdk.Event
	// emitted is how many bytes have been emitted.
	emitted int
}

// Brief reports whether so much has been said of this event that further messages
// are to be hints, with an id and nothing else.
func (e *Event) Brief() bool { return e.emitted > maxDetail }

// fits takes room for a message of that many bytes, if there is any.
func (e *Event) fits(size int) bool {
	if e.emitted+size > maxEvent {
		return false
	}
	e.emitted += size
	return true
}

// current is the one event that there is: one made for each call would be garbage.
// handler is the plugin's Handle.
var (
	current Event
	handler func(e *Event)
)

// Get is that of sdk.Event for values of at most maxValue bytes.
func (e *Event) Get(f sdk.Field) sdk.Value { return e.Within(maxValue, f) }

// GetList is Get for a list or an object that tables show entry by entry.
func (e *Event) GetList(f sdk.Field) sdk.Value { return e.Within(maxList, f) }

// Field is that of sdk.Event for values of at most maxValue bytes.
func (e *Event) Field(pointer string) sdk.Value { return e.FieldWithin(maxValue, pointer) }
