package guest

import (
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// Snapshot is what an instance was right after hr_init: its memory, its globals
// and what it declared. From it a module's instances begin without starting
// again, and go back to it between projects, so that a guest has of one project
// nothing that it saw of another. It belongs to one module with one Env, and is
// safe for concurrent use.
type Snapshot struct {
	memory                 *image
	size                   int64 // of memory, also once that is closed
	globals                []uint64
	sub                    Subscription
	scratch, scratchLength uint32
}

// Snapshot takes one of an instance that has just started. It returns nil if the
// module can leave traces that cannot be undone from outside (fuel.Info).
func (in *Instance) Snapshot() *Snapshot {
	if in.module.image.Irreversible {
		return nil
	}
	data, _ := in.mem.Read(0, in.mem.Size())
	s := &Snapshot{
		memory: newImage(data), size: int64(len(data)), sub: in.sub,
		scratch: in.scratch, scratchLength: in.scratchLength,
	}
	for _, g := range in.globals {
		s.globals = append(s.globals, g.Get())
	}
	in.snapshot = s
	in.memory.show(s.memory)
	return s
}

// Bytes is what the snapshot takes, and Memory how long the memory is that it is of.
func (s *Snapshot) Bytes() int64  { return s.memory.stored }
func (s *Snapshot) Memory() int64 { return s.size }

// Close gives the snapshot's memory back. Instances that began from it can still
// be closed.
func (s *Snapshot) Close() { s.memory.close() }

// Resume makes an instance that is as the one was that s was taken of.
//
// # Errors
//
// A *Fault, if the engine has no room for it.
func (m *Module) Resume(env *Env, s *Snapshot) (*Instance, error) {
	in := m.prepare(env)
	if err := in.instantiate(); err != nil {
		in.Close()
		return nil, err
	}
	pages := uint32(len(s.memory.bytes)) / pageBytes
	if now := in.mem.Size() / pageBytes; pages > now {
		if _, ok := in.mem.Grow(pages - now); !ok {
			in.Close()
			return nil, Faultf(BadStart, "there is no room for its memory of %d bytes", len(s.memory.bytes))
		}
	}
	in.snapshot = s
	in.memory.show(s.memory)
	in.setGlobals()
	in.sub = s.sub
	in.scratch, in.scratchLength = s.scratch, s.scratchLength
	in.begun()
	return in, nil
}

// Separate makes sure that the guest knows of no notification but the project's
// own; an empty project stands for all that has no owner. It reports whether it
// succeeded; if not, the instance must be replaced. It costs nothing as long as
// the project is the same.
func (in *Instance) Separate(project string) bool {
	if in.fresh || !in.mixed && string(in.project) == project {
		in.fresh = false
		in.project = append(in.project[:0], project...)
		return true
	}
	if in.snapshot == nil || int(in.mem.Size()) != len(in.snapshot.memory.bytes) {
		return false
	}
	in.flush()
	in.memory.restore(in.snapshot.memory)
	in.setGlobals()
	in.rewind()
	in.mixed = false
	in.project = append(in.project[:0], project...)
	return true
}

// Mix lets the guest know of all projects' notifications at once, until it is
// separated again.
func (in *Instance) Mix() { in.fresh, in.mixed = false, true }

func (in *Instance) setGlobals() {
	for i, g := range in.globals {
		g.Set(in.snapshot.globals[i])
	}
}

// mutableGlobals finds the globals that a snapshot has to keep.
func (m *Module) mutableGlobals(mod api.Module) []api.MutableGlobal {
	globals := make([]api.MutableGlobal, len(m.image.States))
	for i, name := range m.image.States {
		globals[i] = mod.ExportedGlobal(name).(api.MutableGlobal)
	}
	return slices.Clip(globals)
}
