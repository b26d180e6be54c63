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
	// Name is the plugin's if the module is a bundle of several: then each has one.
	// A module that is one plugin needs none, as its file names it.
	Name string
	// On lists the event types to subscribe to: each is one event type, or a
	// prefix followed by `*`, as in `compute.instance.*`.
	On []string
	// Topics are those that the plugin emits to, and Grants what it needs, as in
	// the table [plugin.X] of the router's configuration. They are a request, which
	// the router shows to its operator. Only of the stock plugins it grants them.
	Topics, Grants []string
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
	// registered is the plugin that this instance is: the only one, or the chosen
	// one of a bundle.
	registered Filter
	// bundle are those with a name, in the order of their registration.
	bundle []bundled
	// wants are the fields of the plugin that is being declared, common those
	// among them that every later one has as well. Sealed says that the plugin has
	// been registered, so that the next field is another's.
	wants, common []string
	sealed        bool
	// failure is what went wrong while the module's variables were initialised,
	// before it could be reported.
	failure string
)

// bundled is one plugin of a bundle.
type bundled struct {
	Filter
	wants []string
}

// Register makes f the module's plugin. It is called from an init function.
//
// Called several times, for plugins with a Name, it makes the module a bundle:
// the router compiles it once, and each plugin has instances, memory, a table
// [plugin.X] and health of its own. Each is a package of its own, which package
// main imports, since the fields that its variables Want are those since the
// Register before. (Plugins of one package have all of the package's fields.)
func Register(f Filter) {
	switch {
	case registered.Handle != nil && (f.Name == "" || registered.Name == ""):
		failure = "sdk: Register was called twice; give each plugin of a bundle a Name"
	case f.Handle == nil:
		failure = "sdk: the filter has no Handle"
	case len(f.On) == 0:
		failure = "sdk: the filter's On is empty; it would never be called"
	case len(f.On) > MaxPatterns:
		failure = "sdk: the filter's On has more than 64 event types; use patterns that end in *"
	}
	registered = f
	if f.Name != "" {
		bundle = append(bundle, bundled{f, wants})
		sealed = true
	}
}

// plugins is hr_plugins: the names of a bundle's plugins, one per line.
func plugins() []byte {
	var text []byte
	for i := range bundle {
		text = append(append(text, bundle[i].Name...), '\n')
	}
	return text
}

// choose is hr_choose: it makes this instance one of the bundle's plugins.
func choose(number int) {
	registered, wants = bundle[number].Filter, bundle[number].wants
	bundle = nil
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
	if sealed {
		wants, sealed = append([]string(nil), common...), false
	}
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

// WantCommon is Want for a package that several plugins of a bundle import: every
// plugin that is registered later has the field. The package has to be
// initialised before them, as one is that they all import.
func WantCommon(pointer string) Field {
	if len(wants) > len(common) && !sealed {
		failure = "sdk: WantCommon between the Want and the Register of a plugin; let all plugins of the bundle import the package that calls it"
	}
	sealed = true // a new list begins with those in common
	f := Want(pointer)
	common = wants
	return f
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
	if failure == "" && len(bundle) > 1 {
		failure = "sdk: the module is a bundle of plugins, and the router chose none; it takes a newer router"
	}
	if failure != "" {
		Log(Error, failure)
		return nil
	}
	hostSubscribe(declaration(&registered, wants))
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
func declaration(f *Filter, wants []string) string {
	var text []byte
	for _, each := range []struct {
		begin string
		lines []string
	}{{abi.DeclareOn, f.On}, {abi.DeclareWant, wants}, {abi.DeclareTopic, f.Topics}, {abi.DeclareGrant, f.Grants}} {
		for _, line := range each.lines {
			text = append(append(append(text, each.begin...), line...), '\n')
		}
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
