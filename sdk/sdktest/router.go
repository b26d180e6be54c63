package sdktest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"horizon-realtime/sdk/abi"
	"horizon-realtime/sdk/internal/native"
)

// router is the host's side of the ABI, for one plugin.
type router struct {
	config  []byte
	on      []string
	wants   []string
	message document
	at      time.Time
	store   map[string]entry
	version uint32
	log     []Line
}

// entry is a value in the store.
type entry struct {
	value   string
	version uint32
	expires time.Time
}

// kvTTL is the longest that an entry lives, as the router has it unless
// configured otherwise.
const kvTTL = 24 * time.Hour

var _ native.Host = (*router)(nil)

func (r *router) Subscribe(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if pattern, ok := strings.CutPrefix(line, abi.DeclareOn); ok {
			r.on = append(r.on, pattern)
		} else if pointer, ok := strings.CutPrefix(line, abi.DeclareWant); ok {
			r.wants = append(r.wants, pointer)
		}
	}
}

// matches reports whether the plugin asked for the event type.
func (r *router) matches(eventType string) bool {
	for _, pattern := range r.on {
		begin, wild := strings.CutSuffix(pattern, "*")
		if pattern == eventType || wild && strings.HasPrefix(eventType, begin) {
			return true
		}
	}
	return false
}

func (r *router) Config(buffer []byte) int { return fill(buffer, r.config) }

func (r *router) Raw(buffer []byte) int { return fill(buffer, r.message.text) }

func (r *router) Log(level uint32, line string) {
	r.log = append(r.log, Line{Level: level, Text: line})
}

func (r *router) Now() int64 { return r.at.UnixNano() }

func (r *router) Field(path string, buffer []byte) uint32 {
	kind, text := value(r.message.find(path))
	return kind<<abi.LengthBits | uint32(fill(buffer, text))
}

func (r *router) KVGet(key string, buffer []byte) uint64 {
	e, ok := r.live(key)
	if !ok {
		return 0
	}
	return uint64(e.version)<<32 | uint64(fill(buffer, []byte(e.value)))
}

func (r *router) KVSet(key, value string, ttl, version uint32) bool {
	e, _ := r.live(key)
	if version != abi.KVAnyVersion && version != e.version {
		return false
	}
	lives := time.Duration(ttl) * time.Second
	if lives == 0 || lives > kvTTL {
		lives = kvTTL
	}
	r.version++
	r.store[strings.Clone(key)] = entry{strings.Clone(value), r.version, r.at.Add(lives)}
	return true
}

func (r *router) KVDelete(key string) bool {
	_, ok := r.live(key)
	delete(r.store, key)
	return ok
}

func (r *router) live(key string) (entry, bool) {
	e, ok := r.store[key]
	if ok && r.at.After(e.expires) {
		delete(r.store, key)
		return entry{}, false
	}
	return e, ok
}

// fill copies text into the buffer if it fits, and returns its length.
func fill(buffer, text []byte) int {
	if len(text) <= len(buffer) {
		copy(buffer, text)
	}
	return len(text)
}

// document is a message, and what of it has been decoded so far.
type document struct {
	text json.RawMessage
	// open are the members of objects, by the pointers to them.
	open map[string]map[string]json.RawMessage
}

// find follows a JSON Pointer; nil if it leads nowhere.
func (d *document) find(pointer string) json.RawMessage {
	i := strings.LastIndexByte(pointer, '/')
	if i < 0 {
		return d.text
	}
	if d.open == nil {
		d.open = make(map[string]map[string]json.RawMessage)
	}
	parent := pointer[:i]
	segment := strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer[i+1:])
	members, known := d.open[parent]
	if !known {
		text := d.find(parent)
		var elements []json.RawMessage
		if json.Unmarshal(text, &elements) == nil {
			if i, err := strconv.Atoi(segment); err == nil && 0 <= i && i < len(elements) {
				return elements[i]
			}
			return nil
		}
		_ = json.Unmarshal(text, &members) // no object has no members
		d.open[strings.Clone(parent)] = members
	}
	return members[segment]
}

// value is a value as the ABI hands it over: its kind and its bytes.
func value(text json.RawMessage) (kind uint32, _ []byte) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return abi.Absent, nil
	}
	switch text[0] {
	case 'n':
		return abi.Null, nil
	case 'f':
		return abi.False, nil
	case 't':
		return abi.True, nil
	case '{':
		return abi.Object, text
	case '[':
		return abi.Array, text
	case '"':
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return abi.Absent, nil
		}
		return abi.String, []byte(s)
	}
	return abi.Number, text
}
