package plugin

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

const (
	// maxChannelBytes and maxKeyBytes bound the names in an emission.
	maxChannelBytes = 160
	maxKeyBytes     = 128
)

// emission is one EMIT record; its slices alias the block it was read from.
type emission struct {
	channel, key, payload []byte
	removed               bool
}

// result is a decoded result block.
type result struct {
	emissions []emission
	stop      bool
}

// decode reads a result block, keeping r's memory. Every record is checked
// before any is used: on an error, r is empty.
//
// # Errors
//
// A sentence that completes "its result …".
func (r *result) decode(block []byte, l *limits) error {
	r.emissions, r.stop = r.emissions[:0], false
	err := r.records(block, l)
	if err != nil {
		r.emissions, r.stop = r.emissions[:0], false
	}
	return err
}

func (r *result) records(block []byte, l *limits) error {
	if len(block) > l.result {
		return fmt.Errorf("has %d bytes, over the limit of %d; emit less, or raise [plugins] bytes_per_event", len(block), l.result)
	}
	for at := 0; at < len(block); {
		rest := block[at:]
		if len(rest) < abi.RecordHeader {
			return fmt.Errorf("ends in the middle of a record's header, at byte %d of %d", at, len(block))
		}
		tag := binary.LittleEndian.Uint32(rest)
		length := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if length > uint64(len(rest)-abi.RecordHeader) {
			return fmt.Errorf("has a record at byte %d whose body of %d bytes goes past the end", at, length)
		}
		body := rest[abi.RecordHeader : abi.RecordHeader+length]
		switch tag {
		case abi.TagEmit:
			if len(r.emissions) == l.emissions {
				return fmt.Errorf("has more than %d emissions; emit less, or raise [plugins] emissions_per_event", l.emissions)
			}
			var before []byte
			if last := len(r.emissions) - 1; last >= 0 {
				before = r.emissions[last].payload
			}
			r.emissions = append(r.emissions, emission{})
			if err := r.emissions[len(r.emissions)-1].decode(body, before, l); err != nil {
				return fmt.Errorf("has a bad emission at byte %d: %w", at, err)
			}
		case abi.TagStop:
			r.stop = true
		}
		at += abi.RecordHeader + int(length)
	}
	return nil
}

// decode reads the body of a record. The payload of the one before, if there is
// one, is good.
func (e *emission) decode(body, before []byte, l *limits) error {
	if len(body) < abi.EmitHeader {
		return fmt.Errorf("its body has %d bytes, its header alone takes %d", len(body), abi.EmitHeader)
	}
	channel := int(binary.LittleEndian.Uint16(body))
	key := int(binary.LittleEndian.Uint16(body[2:]))
	flags := binary.LittleEndian.Uint32(body[4:])
	body = body[abi.EmitHeader:]
	if channel+key > len(body) {
		return fmt.Errorf("channel and key take %d bytes, the body has %d", channel+key, len(body))
	}
	e.channel = body[:channel:channel]
	e.key = body[channel : channel+key : channel+key]
	e.payload = body[channel+key : len(body) : len(body)]
	e.removed = flags&abi.EmitRemoved != 0
	switch {
	case channel == 0 || channel > maxChannelBytes:
		return fmt.Errorf("a channel has 1 to %d bytes, not %d", maxChannelBytes, channel)
	case key > maxKeyBytes:
		return fmt.Errorf("a key has at most %d bytes, not %d", maxKeyBytes, key)
	case !utf8.Valid(e.channel):
		return fmt.Errorf("the channel is not valid UTF-8")
	case !utf8.Valid(e.key):
		return fmt.Errorf("the key is not valid UTF-8")
	case len(e.payload) > l.emission:
		return fmt.Errorf("the payload has %d bytes, over the limit of %d; send less, or raise [plugins] bytes_per_emission", len(e.payload), l.emission)
	}
	if err := json.CheckLineLike(e.payload, before); err != nil {
		return fmt.Errorf("the payload is not one line of JSON: %w", err)
	}
	return nil
}
