package guest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

const (
	// maxChannelBytes and maxKeyBytes bound the names in an emission.
	maxChannelBytes = 160
	maxKeyBytes     = 128
)

// Emission is something that a guest wants published.
type Emission struct {
	// Channel is valid UTF-8 of 1 to 160 bytes, not yet parsed; Key of at most
	// 128 bytes, or empty. Payload is one JSON value without line breaks.
	Channel, Key, Payload []byte
	// Removed says that the resource named by the key is gone.
	Removed bool
}

// Result is what a call returned. Its slices alias the guest's memory: they are
// valid until the instance's next call.
type Result struct {
	Emissions []Emission
	// Dropped is how many emissions are left out because their channel, key or
	// payload is too long, or readers would not all take the payload alike; Reason
	// is that of the last.
	Dropped int
	Reason  error
	// Stop says that later plugins are not to see the notification.
	Stop bool

	payloads json.LineChecker
}

// decode reads a result block, reusing r's memory. It checks every record before
// any is used: on an error, r is empty.
//
// # Errors
//
// A sentence that completes "its result …".
func (r *Result) decode(block []byte, l *Limits) error {
	r.clear()
	err := r.records(block, l)
	r.payloads.Reset()
	if err != nil {
		r.clear()
	}
	return err
}

// clear keeps the memory.
func (r *Result) clear() {
	r.Emissions, r.Dropped, r.Reason, r.Stop = r.Emissions[:0], 0, nil, false
}

func (r *Result) records(block []byte, l *Limits) error {
	if len(block) > l.ResultBytes {
		return fmt.Errorf("has %d bytes, over the limit of %d; emit less, or raise [plugins] bytes_per_event", len(block), l.ResultBytes)
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
			if len(r.Emissions)+r.Dropped == l.Emissions {
				return fmt.Errorf("has more than %d emissions; emit less, or raise [plugins] emissions_per_event", l.Emissions)
			}
			if err := r.emission(body, l); err != nil {
				return fmt.Errorf("has a bad emission at byte %d: %w", at, err)
			}
		case abi.TagStop:
			r.Stop = true
		}
		at += abi.RecordHeader + int(length)
	}
	return nil
}

// emission adds the one that a record's body holds, or drops it. What is too long,
// or said twice, may be the notification's doing: it costs the emission and is no
// fault.
func (r *Result) emission(body []byte, l *Limits) error {
	var e Emission
	if err := e.split(body); err != nil {
		return err
	}
	if err := e.odd(l); err != nil {
		r.drop(err)
		return nil
	}
	if err := e.check(); err != nil {
		return err
	}
	switch err := r.payloads.Check(e.Payload); {
	case errors.Is(err, json.ErrAmbiguous):
		r.drop(fmt.Errorf("the payload is %w", err))
	case err != nil:
		return fmt.Errorf("the payload is not one line of JSON: %w", err)
	default:
		r.Emissions = append(r.Emissions, e)
	}
	return nil
}

func (r *Result) drop(reason error) {
	r.Dropped++
	r.Reason = reason
}

func (e *Emission) split(body []byte) error {
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
	e.Channel = body[:channel:channel]
	e.Key = body[channel : channel+key : channel+key]
	e.Payload = body[channel+key : len(body) : len(body)]
	e.Removed = flags&abi.EmitRemoved != 0
	if unknown := flags &^ abi.EmitRemoved; unknown != 0 {
		return fmt.Errorf("it has the flags %#x, which this router does not know", unknown)
	}
	return nil
}

// odd says what is too long, or has control characters that a key may not have.
func (e *Emission) odd(l *Limits) error {
	switch {
	case len(e.Channel) > maxChannelBytes:
		return fmt.Errorf("a channel has at most %d bytes, not %d", maxChannelBytes, len(e.Channel))
	case len(e.Key) > maxKeyBytes:
		return fmt.Errorf("a key has at most %d bytes, not %d", maxKeyBytes, len(e.Key))
	case len(e.Payload) > l.EmissionBytes:
		return fmt.Errorf("the payload has %d bytes, over the limit of %d; send less, or raise [plugins] bytes_per_emission", len(e.Payload), l.EmissionBytes)
	case !json.IsPlain(e.Key) && utf8.Valid(e.Key) && bytes.ContainsFunc(e.Key, unicode.IsControl):
		return errors.New("the key has control characters")
	}
	return nil
}

// check judges the names that odd has let pass.
func (e *Emission) check() error {
	switch {
	case len(e.Channel) == 0:
		return errors.New("it has no channel")
	case !json.IsPlain(e.Channel) && !utf8.Valid(e.Channel):
		return errors.New("the channel is not valid UTF-8")
	case !json.IsPlain(e.Key) && !utf8.Valid(e.Key):
		return errors.New("the key is not valid UTF-8")
	}
	return nil
}
