package json

// Redact asks about every value but the root, outermost first, whether it is a
// secret: by its key, unless it is an array's element, and by its text, if it is a
// string. A key is decoded, and valid until another member is looked for; hash is a
// number for it, the same for the same key. A text is decoded as well, and valid during
// the call; secretText returns how many bytes of it may stay, or -1 if all may.
//
// A secret value leaves the index, so that it is Absent to Get, and is blanked in the text
// with all that it held. So does a string of which nothing may stay; of another one the
// beginning stays, and three asterisks.
func (d *Document) Redact(secretKey func(key []byte, hash uint32) bool, secretText func(text []byte, v Value) int) {
	for i := uint32(1); i < uint32(len(d.nodes)); {
		n := &d.nodes[i]
		keep := -1
		if n.key != 0 && secretKey(d.key(n, 0), n.hash) {
			keep = 0
		} else if n.kind == String {
			text := d.text[n.start+1 : n.end-1]
			if n.escaped {
				text = d.decode(text, 1)
			}
			keep = secretText(text, Value{d, i})
		}
		if keep == 0 && n.kind != Absent {
			d.blank(n)
		} else if keep > 0 {
			d.cut(n, keep)
		}
		if i++; n.kind == Absent {
			i = n.next
		}
	}
}

// blank overwrites a value with `null`, or the shortest of its kind if that
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
	fill(text, short)
	n.kind = Absent
}

// cut leaves the first keep bytes of a string, as it is decoded.
func (d *Document) cut(n *node, keep int) {
	text := d.text[n.start:n.end]
	from := 1 + encoded(text[1:len(text)-1], keep)
	stars := min(3, len(text)-1-from)
	fill(text[from:], "***"[:stars]+`"`)
	n.end = n.start + uint32(from+stars+1)
}

// fill overwrites text with short and spaces.
func fill(text []byte, short string) {
	for i := copy(text, short); i < len(text); i++ {
		text[i] = ' '
	}
}
