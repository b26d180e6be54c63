package plugin

import (
	"encoding/binary"

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/abi"
)

// features are the bits of the scratch header: what this host has beyond the
// first version of the ABI.
const features = 0

// scratchNeeds is the least size, in bytes, of a scratch buffer for that many
// wanted fields.
func scratchNeeds(wants int) int {
	return abi.HeaderSize + (abi.StandardFields+wants)*abi.EntrySize
}

// writeScratch lays the standard fields and the wanted ones out in buf, which
// is guest memory of at least scratchNeeds bytes. What does not fit is marked
// as too big. It allocates nothing.
func writeScratch(buf []byte, n *event.Notification, wants []want) {
	w := scratchWriter{buf: buf, entry: abi.HeaderSize, end: scratchNeeds(len(wants))}
	w.text(n.Type)
	w.text(n.Publisher)
	w.text(n.Priority)
	w.text(n.MessageID)
	w.text(n.AtText)
	w.text(n.Project)
	w.text(n.User)
	w.text(n.RequestID)
	var parent event.Value
	for i := range wants {
		if !wants[i].sibling {
			parent = n.Get(wants[i].parent)
		}
		w.value(parent.Get(wants[i].last))
	}
	binary.LittleEndian.PutUint32(buf[abi.HeaderFeatures:], features)
	binary.LittleEndian.PutUint32(buf[abi.HeaderLength:], uint32(w.end))
	binary.LittleEndian.PutUint32(buf[abi.HeaderCount:], uint32(len(wants)))
	binary.LittleEndian.PutUint32(buf[abi.HeaderCount+4:], 0)
}

// scratchWriter fills entries from one side and bytes behind them.
type scratchWriter struct {
	buf        []byte
	entry, end int
}

// text writes a standard field; an empty one is absent.
func (w *scratchWriter) text(s string) {
	switch {
	case s == "":
		w.put(abi.Absent, 0)
	case len(s) > len(w.buf)-w.end:
		w.put(abi.TooBig, len(s))
	default:
		w.put(abi.String, copy(w.buf[w.end:], s))
	}
}

// value writes a wanted field. Nearly all of them are strings without escapes,
// which are copied as they stand.
func (w *scratchWriter) value(v event.Value) {
	if text, ok := v.Plain(); ok && len(text) <= len(w.buf)-w.end {
		w.put(abi.String, copy(w.buf[w.end:], text))
		return
	}
	kind, size := v.Kind(), v.Size()
	if size > len(w.buf)-w.end {
		w.put(abi.TooBig, size)
		return
	}
	written := len(v.AppendTo(w.buf[w.end : w.end : w.end+size]))
	w.put(uint32(kind), written)
}

// put writes an entry for length bytes that stand at the end, or would.
func (w *scratchWriter) put(kind uint32, length int) {
	binary.LittleEndian.PutUint64(w.buf[w.entry:], uint64(w.end)|uint64(fieldWord(kind, length))<<32)
	w.entry += abi.EntrySize
	if kind != abi.TooBig {
		w.end += length
	}
}

func fieldWord(kind uint32, length int) uint32 {
	return kind<<abi.LengthBits | uint32(min(length, abi.LengthMask))
}
