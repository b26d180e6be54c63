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
	case sectionImport:
		if code != nil {
			payload = appendItem(payload, m.importItem())
		}
	case sectionFunction:
		if code != nil {
			payload = appendItem(payload, m.addedTypes()...)
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
		payload = m.writeExports()
	case sectionStart:
		return
	case sectionElement:
		payload = m.edited(id)
	case sectionCode:
		if code != nil {
			payload = appendItem(code, m.addedBodies()...)
		}
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
	return appendItem(m.edited(sectionGlobal), []byte{byte(I64), 1, opI64Const, 0, opEnd})
}

func (m *module) writeExports() []byte {
	items := [][]byte{exportItem(Global, KindGlobal, m.fuelIndex())}
	if m.info.Start {
		items = append(items, exportItem(Start, KindFunction, m.movedIndex(m.start)))
	}
	for i := m.importedGlobals; i < len(m.globals); i++ {
		if g := m.globals[i]; g.mutable && g.isNumber() {
			name := stateName(i)
			m.info.States = append(m.info.States, name)
			items = append(items, exportItem(name, KindGlobal, uint32(i)))
		}
	}
	return appendItem(m.edited(sectionExport), items...)
}

func stateName(global int) string { return State + strconv.Itoa(global) }

func exportItem(name string, kind Kind, index uint32) []byte {
	return appendU32(append(appendName(nil, name), byte(kind)), index)
}

func (m *module) importItem() []byte {
	b := appendName(appendName(nil, Module), Refill)
	return appendU32(append(b, byte(KindFunction)), uint32(m.refillType))
}

func (m *module) addedTypes() (items [][]byte) {
	for _, f := range m.added {
		items = append(items, appendU32(nil, uint32(m.typeIndex(f.params, f.results))))
	}
	return items
}

func (m *module) addedBodies() (items [][]byte) {
	for _, f := range m.added {
		items = append(items, append(appendU32(nil, uint32(len(f.body))), f.body...))
	}
	return items
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}

// names writes the module's and the functions' names, which the engine shows
// with a trap, if the original's are in order. The names of locals take several
// times their room and nobody sees them.
func (w *writer) names() {
	kept := w.m.keepNames()
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
func (m *module) keepNames() []byte {
	r := &reader{b: m.names}
	last := -1
	var kept []byte
	for r.left() > 0 {
		id := r.byte()
		sub := &reader{b: r.bytes(int(r.u32()))}
		if r.err != nil || int(id) <= last {
			return nil
		}
		last = int(id)
		names := sub.b
		switch id {
		case 0:
			sub.name()
		case 1:
			names = m.keepFunctionNames(sub)
		default:
			continue
		}
		if sub.err != nil || sub.left() > 0 {
			return nil
		}
		kept = appendU32(append(kept, id), uint32(len(names)))
		kept = append(kept, names...)
	}
	return kept
}

// keepFunctionNames gives the names to the functions where they are now.
func (m *module) keepFunctionNames(r *reader) []byte {
	n := r.count("names", len(m.funcs))
	b := appendU32(make([]byte, 0, len(r.b)+n), uint32(n))
	for i := 0; i < n && r.err == nil; i++ {
		index := r.u32()
		b = appendName(appendU32(b, m.movedIndex(index)), r.name())
	}
	return b
}
