package fuel

import "strconv"

// noLimit values need no declaration: they are what the format allows anyway.
const (
	allPages   = 1 << 16
	allEntries = 1<<32 - 1
)

// writer puts the rewritten module together.
type writer struct {
	m   *module
	out []byte
}

func (w *writer) section(id int, code []byte) {
	m := w.m
	payload := m.payload[id]
	switch id {
	case sectionType:
		payload = m.writeTypes()
	case sectionFunction:
		if code != nil {
			payload = appendItem(payload, appendU32(nil, uint32(m.cutType)))
		}
	case sectionTable:
		if len(m.info.Tables) > 0 {
			payload = m.writeTables()
		}
	case sectionMemory:
		if m.info.Memory != nil {
			payload = appendRange([]byte{1}, *m.info.Memory, m.limits.MemoryPages, allPages)
		}
	case sectionGlobal:
		payload = m.writeGlobals()
	case sectionExport:
		payload = m.writeExports(code != nil)
	case sectionStart:
		return
	case sectionCode:
		payload = code
	}
	if payload == nil {
		return
	}
	w.out = append(w.out, byte(id))
	w.out = appendU32(w.out, uint32(len(payload)))
	w.out = append(w.out, payload...)
}

func appendRange(b []byte, r Range, limit, all int) []byte {
	most := r.Max
	if limit < all && (most == nil || int64(*most) > int64(limit)) {
		clamped := uint32(limit)
		most = &clamped
	}
	if most == nil {
		return appendU32(append(b, 0), r.Min)
	}
	return appendU32(appendU32(append(b, 1), r.Min), *most)
}

// writeTypes appends the types that were added for blocks.
func (m *module) writeTypes() []byte {
	payload := m.payload[sectionType]
	if payload == nil && len(m.types) == 0 {
		return nil
	}
	items := make([][]byte, 0, 4)
	for _, t := range m.types[m.originalTypes:] {
		item := []byte{0x60}
		for _, list := range [][]ValueType{t.Params, t.Results} {
			item = appendU32(item, uint32(len(list)))
			for _, v := range list {
				item = append(item, byte(v))
			}
		}
		items = append(items, item)
	}
	return appendItem(payload, items...)
}

func (m *module) writeTables() []byte {
	b := appendU32(nil, uint32(len(m.info.Tables)))
	types := m.tables[len(m.tables)-len(m.info.Tables):]
	for i, r := range m.info.Tables {
		b = append(b, byte(types[i]))
		b = appendRange(b, r, m.limits.TableEntries, allEntries)
	}
	return b
}

// appendItem appends one item to a section's vector.
func appendItem(payload []byte, items ...[]byte) []byte {
	r := &reader{b: payload}
	n := uint32(0)
	if payload != nil {
		n = r.u32()
	}
	b := appendU32(make([]byte, 0, len(payload)+64), n+uint32(len(items)))
	b = append(b, payload[r.pos:]...)
	for _, item := range items {
		b = append(b, item...)
	}
	return b
}

func (m *module) writeGlobals() []byte {
	return appendItem(m.payload[sectionGlobal], []byte{byte(I64), 1, opI64Const, 0, opEnd})
}

func (m *module) writeExports(cut bool) []byte {
	items := [][]byte{exportItem(Global, KindGlobal, m.fuelIndex())}
	if m.info.Start {
		items = append(items, exportItem(Start, KindFunction, m.start))
	}
	if cut {
		items = append(items, exportItem(Cut, KindFunction, uint32(len(m.funcs))))
	}
	for i := m.importedGlobals; i < len(m.globals); i++ {
		if g := m.globals[i]; g.mutable && g.isNumber() {
			name := stateName(i)
			m.info.States = append(m.info.States, name)
			items = append(items, exportItem(name, KindGlobal, uint32(i)))
		}
	}
	return appendItem(m.payload[sectionExport], items...)
}

func stateName(global int) string { return State + strconv.Itoa(global) }

func exportItem(name string, kind Kind, index uint32) []byte {
	b := appendU32(nil, uint32(len(name)))
	b = append(append(b, name...), byte(kind))
	return appendU32(b, index)
}

// names writes the module's and the functions' names, which the engine shows
// with a trap, if the original's are in order. The names of locals take several
// times their room and nobody sees them.
func (w *writer) names() {
	kept := keepNames(w.m.names, len(w.m.funcs))
	if kept == nil {
		return
	}
	payload := append([]byte("\x04name"), kept...)
	w.out = append(w.out, sectionCustom)
	w.out = appendU32(w.out, uint32(len(payload)))
	w.out = append(w.out, payload...)
}

// keepNames returns the subsections to keep, or nil where something is wrong
// with them: names are not worth refusing a module for.
func keepNames(b []byte, functions int) []byte {
	r := &reader{b: b}
	last := -1
	var kept []byte
	for r.left() > 0 {
		id := r.byte()
		sub := &reader{b: r.bytes(int(r.u32()))}
		if r.err != nil || int(id) <= last {
			return nil
		}
		last = int(id)
		switch id {
		case 0:
			sub.name()
		case 1:
			n := sub.count("names", functions)
			for i := 0; i < n && sub.err == nil; i++ {
				sub.u32()
				sub.name()
			}
		default:
			continue
		}
		if sub.err != nil || sub.left() > 0 {
			return nil
		}
		kept = appendU32(append(kept, id), uint32(len(sub.b)))
		kept = append(kept, sub.b...)
	}
	return kept
}
