package json

// Redact asks about every value but the root, outermost first, whether it is a
// secret: by its key, unless it is an array's element, and by its text, if it is a
// string. Such a value leaves the index, so that it is Absent to Get, and is blanked
// in the text, with all that it held. A key is decoded, and valid until another
// member is looked for; hash is a number for it, the same for the same key. A text
// is as it stands between the quotes, with its escapes.
func (d *Document) Redact(secretKey func(key []byte, hash uint32) bool, secretText func(text []byte, v Value) bool) {
	for i := uint32(1); i < uint32(len(d.nodes)); {
		n := &d.nodes[i]
		secret := n.key != 0 && secretKey(d.key(n, 0), n.hash)
		if !secret && n.kind == String {
			secret = secretText(d.text[n.start+1:n.end-1], Value{d, i})
		}
		if secret && n.kind != Absent {
			d.blank(n)
		}
		if i++; n.kind == Absent {
			i = n.next
		}
	}
}

// blank overwrites a value with `null`, or the shortest of its kind where that
// does not fit, and spaces up to its old length.
func (d *Document) blank(n *node) {
	text := d.text[n.start:n.end]
	short := "null"
	if len(text) < len(short) {
		switch n.kind {
		case String:
			short = `""`
		case Object:
			short = "{}"
		case Array:
			short = "[]"
		default:
			short = "0"
		}
	}
	for i := copy(text, short); i < len(text); i++ {
		text[i] = ' '
	}
	n.kind = Absent
}
