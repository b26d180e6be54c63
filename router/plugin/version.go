package plugin

import (
	"sync/atomic"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
)

// version is one version of one plugin, ready to be called. The sets it is in
// keep it alive.
type version struct {
	// Name is the plugin's. The title begins sentences about it: "plugin
	// 50-nova.wasm".
	Name, title string
	loaded      time.Time
	limits      guest.Limits
	permit      atomic.Pointer[event.Permit]
	health      *health
	record      *record

	// granted is what the plugin has if its table does not say otherwise.
	granted asks

	code *code
	env  guest.Env
	sub  guest.Subscription
	// spare is the instance that the load made to see whether the plugin
	// starts; the first runner that needs one takes it.
	spare atomic.Pointer[guest.Instance]
	// snapshot is what instances begin from; nil if each has to start.
	snapshot *guest.Snapshot
	// stopRefused says that it has tried to stop a notification, and may not.
	stopRefused atomic.Bool
	// sets is how many sets the version is in.
	sets atomic.Int64
}

// start makes the first instance.
//
// # Errors
//
// Always a *guest.Fault.
func (v *version) start() (*guest.Instance, error) {
	return v.count(v.code.Start(&v.env))
}

// take returns the spare instance, or makes one, from the snapshot if there is one.
// All instances start alike, since a start depends on nothing but the module and its
// configuration.
//
// # Errors
//
// Those of start.
func (v *version) take() (*guest.Instance, error) {
	if in := v.spare.Swap(nil); in != nil {
		return in, nil
	}
	if v.snapshot != nil {
		return v.count(v.code.Resume(&v.env, v.snapshot))
	}
	return v.count(v.code.Restart(&v.env))
}

func (v *version) count(in *guest.Instance, err error) (*guest.Instance, error) {
	if err == nil {
		v.record.instances.Add(1)
	}
	return in, err
}

// end closes an instance of this version.
func (v *version) end(in *guest.Instance) {
	in.Close()
	v.record.instances.Add(-1)
}

// release drops a set's hold; the last one closes the version.
func (v *version) release() {
	if v.sets.Add(-1) == 0 {
		v.close()
	}
}

// close frees the version's memory, and its machine code unless others share it. No instance of it may be in
// use any more.
func (v *version) close() {
	if in := v.spare.Swap(nil); in != nil {
		v.end(in)
	}
	if v.snapshot != nil {
		v.snapshot.Close()
	}
	v.code.release()
}
