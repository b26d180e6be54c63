package fuel

import "fmt"

const (
	// Global is the name under which the rewritten module exports its counter,
	// a mutable i64. No original may export that name.
	Global = "hr_fuel"
	// Start is the name under which the rewritten module exports the original's
	// start function, where it has one. No original may export that name.
	Start = "hr_start"
	// State is what the names begin with under which the rewritten module exports
	// its mutable globals (Info.States). No original may export such a name.
	State = "hr_state_"
	// Module and Refill name the function (i64) -> i64 that the rewritten module
	// imports, behind what the original does, and calls at a safepoint. It is
	// given what the counter says and has to return what [Tank.Refill] does, or to
	// end the call by a panic.
	// No original may import anything of that module.
	Module, Refill = "hr_fuel", "refill"
)

// Instrument checks a module against limits and rewrites it so that it counts
// its work. The rewritten module gives the same results; it calls the host for
// more fuel.
//
// It also declares the limits in the rewritten module: a memory or table can
// grow to the limit at most, whatever the original declares.
//
// # Errors
//
// A sentence that names the part of the module, what is there, and the limit
// where there is one. What Instrument lets pass is not yet valid: types are for
// the engine to check, on the rewritten module.
func Instrument(original []byte, limits Limits) ([]byte, *Info, error) {
	return instrument(original, limits, &scanner{meter: meter{allowed: slackLimit}})
}

func instrument(original []byte, limits Limits, s *scanner) ([]byte, *Info, error) {
	m, err := decode(original, limits)
	if err != nil {
		return nil, nil, err
	}
	s.m = m
	code, err := m.rewriteCode(s)
	if err != nil {
		return nil, nil, err
	}
	w := &writer{m: m, out: make([]byte, 0, len(original)+len(code)-m.info.CodeBytes+4096)}
	w.out = append(w.out, header...)
	for _, id := range sectionOrder {
		w.section(id, code)
	}
	w.names()
	return w.out, &m.info, nil
}

// rewriteCode makes the payload of the code section, but for what is added.
func (m *module) rewriteCode(s *scanner) ([]byte, error) {
	if m.payload[sectionCode] == nil {
		return nil, nil
	}
	m.addRefill()
	e := newEmitter(m)
	out := make([]byte, 0, len(m.payload[sectionCode])*7/4)
	out = appendU32(out, uint32(len(m.bodies)))
	for i := range m.bodies {
		if err := s.function(i); err != nil {
			return nil, fmt.Errorf("code section: %w", err)
		}
		out = e.function(out, s)
	}
	return out, nil
}
