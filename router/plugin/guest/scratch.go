package guest

import (
	"encoding/binary"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// features are the bits of the scratch header: what this host offers beyond the
// first version of the ABI.
const features = 0

// scratchNeeds is the least size, in bytes, of a scratch buffer for that many
// wanted fields.
func scratchNeeds(wants int) int {
	return abi.HeaderSize + (abi.StandardFields+wants)*abi.EntrySize
}

// writeScratch writes the standard fields and the wanted ones to buf, which is
// guest memory of at least scratchNeeds bytes, and marks what does not fit as too
// big. It allocates nothing; room is sub.room().
func writeScratch(buf []byte, n *event.Notification, sub *Subscription, room []json.Value) {
	end := scratchNeeds(len(sub.Wants))
	entries := buf[abi.HeaderSize:end]
	for i, text := range [abi.StandardFields]string{
		abi.FieldEventType: n.Type,
		abi.FieldPublisher: n.Publisher,
		abi.FieldPriority:  n.Priority,
		abi.FieldMessageID: n.MessageID,
		abi.FieldTimestamp: n.AtText,
		abi.FieldProject:   n.Project,
		abi.FieldUser:      n.User,
		abi.FieldRequestID: n.RequestID,
	} {
		kind := uint32(abi.String)
		if text == "" {
			kind = abi.Absent
		}
		end = putBytes(buf, entries[i*abi.EntrySize:], end, kind, text)
	}
	entries = entries[abi.StandardFields*abi.EntrySize:]
	parents := room[:len(sub.families)]
	for i := range sub.families {
		f := &sub.families[i]
		parent := f.find(n, parents)
		parents[i] = parent
		for k := range f.fields {
			end = putValue(buf, entries[f.places[k]*abi.EntrySize:], end, parent.Get(f.fields[k]))
		}
	}
	binary.LittleEndian.PutUint32(buf[abi.HeaderFeatures:], features)
	binary.LittleEndian.PutUint32(buf[abi.HeaderLength:], uint32(end))
	binary.LittleEndian.PutUint32(buf[abi.HeaderCount:], uint32(len(sub.Wants)))
	binary.LittleEndian.PutUint32(buf[abi.HeaderCount+4:], 0)
}

// putBytes copies text to buf[end:], if it fits, writes its entry, and returns
// where the next one goes.
func putBytes[T string | []byte](buf, entry []byte, end int, kind uint32, text T) int {
	if len(text) > len(buf)-end {
		putEntry(entry, end, abi.TooBig, len(text))
		return end
	}
	putEntry(entry, end, kind, len(text))
	return end + copy(buf[end:], text)
}

// putValue is putBytes for a wanted field. Nearly all that are there are strings
// without escapes, which are copied as they stand.
func putValue(buf, entry []byte, end int, v json.Value) int {
	kind := v.Kind()
	if kind == json.Absent {
		putEntry(entry, end, abi.Absent, 0)
		return end
	}
	if text, ok := v.Plain(); ok {
		return putBytes(buf, entry, end, abi.String, text)
	}
	size := v.Size()
	if size > len(buf)-end {
		putEntry(entry, end, abi.TooBig, size)
		return end
	}
	written := len(v.AppendTo(buf[end : end : end+size]))
	putEntry(entry, end, uint32(kind), written)
	return end + written
}

// putEntry writes the entry of a value that has length bytes at offset, or would.
func putEntry(entry []byte, offset int, kind uint32, length int) {
	binary.LittleEndian.PutUint64(entry, uint64(offset)|uint64(fieldWord(kind, length))<<32)
}

func fieldWord(kind uint32, length int) uint32 {
	return kind<<abi.LengthBits | uint32(min(length, abi.LengthMask))
}
