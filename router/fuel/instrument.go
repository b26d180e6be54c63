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
	// Cut is the name under which the rewritten module exports a function of
	// our own, (i64) -> (). Where the counter is below the argument it is set
	// to CutOff, so that whatever runs traps at its next look. It may be called
	// while another goroutine is in a call, which it may miss: call it again
	// until that has ended. No original may export that name.
	Cut = "hr_cut"
)

// CutOff is far below what any charge takes the counter to, or a deposit that
// is given back brings it up from.
const CutOff = -1 << 60

// Instrument checks a module against limits and rewrites it so that it counts
// its work. The rewritten module gives the same results as long as the counter
// stays at or above zero; else it traps with `unreachable`.
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

// rewriteCode makes the payload of the code section.
func (m *module) rewriteCode(s *scanner) ([]byte, error) {
	if m.payload[sectionCode] == nil {
		return nil, nil
	}
	e := newEmitter(m)
	out := make([]byte, 0, len(m.payload[sectionCode])*7/4)
	out = appendU32(out, uint32(len(m.bodies)+1))
	for i := range m.bodies {
		if err := s.function(i); err != nil {
			return nil, fmt.Errorf("code section: %w", err)
		}
		out = e.function(out, s)
	}
	return e.cut(out), nil
}
