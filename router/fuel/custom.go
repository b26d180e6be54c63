package fuel

import "bytes"

// Custom is what a module's first custom section of that name holds; nil where
// it has none, or is no module. It aliases the module. Instrument leaves such
// sections out.
func Custom(module []byte, name string) []byte {
	if !bytes.HasPrefix(module, header) {
		return nil
	}
	r := &reader{b: module, pos: len(header)}
	for r.left() > 0 && r.err == nil {
		id := r.byte()
		section := &reader{b: r.bytes(int(r.u32()))}
		if r.err == nil && id == sectionCustom && section.name() == name && section.err == nil {
			return section.b[section.pos:]
		}
	}
	return nil
}
