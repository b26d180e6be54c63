package fuel

// The rewritten module imports one function more, [Refill], behind the others.
// The functions that the module defines move up by one for it, and whatever names
// one of them is written anew.

// edit replaces the number at payload[from:to].
type edit struct {
	from, to int
	value    uint32
}

// appendEdited appends the payload behind from with its edits.
func appendEdited(b, payload []byte, from int, edits []edit) []byte {
	for _, e := range edits {
		b = appendU32(append(b, payload[from:e.from]...), e.value)
		from = e.to
	}
	return append(b, payload[from:]...)
}

// edited is the payload of a section with its edits.
func (m *module) edited(section int) []byte {
	payload, edits := m.payload[section], m.edits[section]
	if len(edits) == 0 {
		return payload
	}
	return appendEdited(make([]byte, 0, len(payload)+len(edits)), payload, 0, edits)
}

// move notes that the section at hand names a function at payload[from:to].
func (m *module) move(from, to int, index uint32) {
	if moved := m.movedIndex(index); moved != index {
		m.edits[m.reading] = append(m.edits[m.reading], edit{from, to, moved})
	}
}

// movedIndex is the index that a function of the original has in the rewritten
// module.
func (m *module) movedIndex(index uint32) uint32 {
	if int64(index) < int64(m.importedFuncs) {
		return index
	}
	return index + 1
}

// hostRefill is the index of the function that is imported.
func (m *module) hostRefill() uint32 { return uint32(m.importedFuncs) }

// typeIndex is the index of a function type, which is added if there is none.
func (m *module) typeIndex(params, results []ValueType) int {
	if m.typeIndices == nil {
		m.typeIndices = make(map[string]int, len(m.types))
		for i := range m.types {
			m.typeIndices[m.types[i].key()] = i
		}
	}
	t := FuncType{params, results}
	i, ok := m.typeIndices[t.key()]
	if !ok {
		i = len(m.types)
		m.types = append(m.types, t)
		m.typeIndices[t.key()] = i
	}
	return i
}

func (t *FuncType) key() string {
	b := make([]byte, 0, 16)
	for _, v := range t.Params {
		b = append(b, byte(v))
	}
	b = append(b, 0)
	for _, v := range t.Results {
		b = append(b, byte(v))
	}
	return string(b)
}
