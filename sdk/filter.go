package sdk

import "horizon-realtime/sdk/abi"

// Limits of what a filter may declare; the router's are the same.
const (
	// MaxWants is how many fields a filter may want.
	MaxWants = 64
	// MaxPatterns is how many event types and patterns it may be called for.
	MaxPatterns = 64
)

// Filter is what a module registers.
type Filter struct {
	// On lists the event types to be called for: each is one, or the beginning
	// of several followed by `*`, as in `compute.instance.*`.
	On []string
	// Start is called once, before any event, with the filter's table of the
	// router's configuration: an Object, empty where there is none. Its values
	// stay valid. An error keeps the filter from being loaded and is told to
	// the operator. Nil where there is nothing to do.
	Start func(config Value) error
	// Handle is called with each notification. A panic in it costs this
	// module's memory and is told to the operator, but harms nobody else.
	Handle func(e *Event)
}

var (
	registered Filter
	wants      []string
	// failure is what went wrong while the module's variables were made, when
	// nobody could be told yet.
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

// Field stands for a field of the message that the router hands over with each
// event. Only Want makes one.
type Field struct {
	// entry is by how much its entry in the scratch block comes later than
	// absentEntry: 0 in a zero Field, which is absent from every event.
	entry uint32
}

// Want declares a field that each event shall bring, by its JSON Pointer
// (RFC 6901) in the message: `/payload/volume_id`. It is called while the
// package's variables are made, never later:
//
//	var volume = sdk.Want("/payload/volume_id")
//
// Nova's versioned members have dots in their names, which a pointer takes as
// they are: `/payload/nova_object.data/uuid`.
//
// Inlined, it would make half a kilobyte of each declaration.
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

// start is hr_init: it tells the router what the filter wants, and lets the
// filter look at its configuration. It returns the scratch buffer, or nil to
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
		// What the filter keeps of its configuration must not be overwritten.
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

// config reads the filter's configuration.
func config() Value {
	buffer := make([]byte, 1024)
	n := hostConfig(buffer)
	if n > len(buffer) {
		buffer = make([]byte, n)
		n = hostConfig(buffer)
	}
	return Parse(string(buffer[:min(n, len(buffer))]))
}

// handle is hr_event: it returns the result block, empty where there is
// nothing to say.
func handle() []byte {
	arena = arena[:0]
	current.result.n = 0
	registered.Handle(&current)
	return current.result.b[:current.result.n]
}
