package sdk

import "horizon-realtime/sdk/abi"

// Limits on what a plugin may declare; the router has the same ones.
const (
	// MaxWants is how many fields a plugin may want.
	MaxWants = 64
	// MaxPatterns is how many event types and patterns it may be called for.
	MaxPatterns = 64
)

// Filter is what a module registers.
type Filter struct {
	// On lists the event types to subscribe to: each is one event type, or a
	// prefix followed by `*`, as in `compute.instance.*`.
	On []string
	// Start is called once, before any event, with the plugin's table of the
	// router's configuration: an Object, empty if there is none. Its values
	// stay valid. If it returns an error, the plugin is not loaded and the operator
	// sees the error. Nil if there is nothing to do.
	Start func(config Value) error
	// Handle is called with each notification. If it panics, this module loses its
	// memory and the operator sees the message; nobody else is affected.
	Handle func(e *Event)
}

var (
	registered Filter
	wants      []string
	// failure is what went wrong while the module's variables were initialised,
	// before it could be reported.
	failure string
)

// Register makes f the module's filter. It is called once, from an init
// function of the main package.
func Register(f Filter) {
	switch {
	case registered.Handle != nil:
		failure = "sdk: Register was called twice; a module is one filter"
	case f.Handle == nil:
		failure = "sdk: the filter has no Handle"
	case len(f.On) == 0:
		failure = "sdk: the filter's On is empty; it would never be called"
	case len(f.On) > MaxPatterns:
		failure = "sdk: the filter's On has more than 64 event types; use patterns that end in *"
	}
	registered = f
}

// Field is a field of the message that the router passes along with each event. Only
// Want makes one.
type Field struct {
	// entry is the distance of its entry in the scratch block from absentEntry:
	// 0 in a zero Field, which is absent from every event.
	entry uint32
}

// Want declares a field that each event should carry, by its JSON Pointer
// (RFC 6901) in the message: `/payload/volume_id`. Call it while the
// package's variables are initialised, never later:
//
//	var volume = sdk.Want("/payload/volume_id")
//
// Nova's versioned members have dots in their names, which a pointer accepts
// unchanged: `/payload/nova_object.data/uuid`.
//
// Inlined, each declaration would add half a kilobyte.
//
//go:noinline
func Want(pointer string) Field {
	if len(wants) == MaxWants {
		failure = "sdk: more than 64 wanted fields; read the rare ones with Event.Field"
		return Field{}
	}
	if started {
		panic("sdk: Want after the filter has started; declare the field as a package variable")
	}
	wants = append(wants, pointer)
	return Field{entry: uint32(firstWant + (len(wants)-1)*abi.EntrySize)}
}

var started bool

// start is hr_init: it tells the router what the plugin wants, and lets the
// plugin look at its configuration. It returns the scratch buffer, or nil to
// refuse.
func start() []byte {
	started = true
	if failure == "" && registered.Handle == nil {
		failure = "sdk: nothing is registered; call sdk.Register in an init function of the main package"
	}
	if failure != "" {
		Log(Error, failure)
		return nil
	}
	hostSubscribe(declaration(registered.On, wants))
	if registered.Start != nil {
		err := registered.Start(config())
		// What the plugin keeps of its configuration must not be overwritten.
		arena = nil
		if err != nil {
			Log(Error, err.Error())
			return nil
		}
	}
	return current.scratch[:]
}

// declaration is the text of a subscription: one line each.
func declaration(on, want []string) string {
	var text []byte
	for _, pattern := range on {
		text = append(append(append(text, abi.DeclareOn...), pattern...), '\n')
	}
	for _, pointer := range want {
		text = append(append(append(text, abi.DeclareWant...), pointer...), '\n')
	}
	return string(text)
}

// config reads the plugin's configuration.
func config() Value {
	buffer := make([]byte, 1024)
	n := hostConfig(buffer)
	if n > len(buffer) {
		buffer = make([]byte, n)
		n = hostConfig(buffer)
	}
	return Parse(string(buffer[:min(n, len(buffer))]))
}

// handle is hr_event: it returns the result block, empty if there is
// nothing to say.
func handle() []byte {
	arena = arena[:0]
	current.result.n = 0
	registered.Handle(&current)
	return current.result.b[:current.result.n]
}
