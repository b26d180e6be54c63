package oslo

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// DefaultMaxBodyBytes is MaxBodyBytes where nothing else is said: 4 MiB, a
// thousand times what a notification takes.
const DefaultMaxBodyBytes = 4 << 20

// maxEventType bounds an event type, in bytes. The longest seen has 49.
const maxEventType = 256

// keepBytes is the largest body whose scratch memory is kept for the next.
const keepBytes = 256 << 10

// Config is what a Decoder is told.
type Config struct {
	// MaxBodyBytes bounds a body, as it arrives and decompressed.
	MaxBodyBytes int `toml:"max_body_bytes"`
	// Live says that bodies arrive as they are sent. A time that is far off is then taken
	// for a wrong clock's; in a recording it is kept.
	Live bool `toml:"-"`
}

// DefaultConfig is what holds where nothing else is said.
func DefaultConfig() Config { return Config{MaxBodyBytes: DefaultMaxBodyBytes} }

// Decoder opens bodies. Any number of goroutines can use one, each with a
// notification of its own.
type Decoder struct {
	cfg     Config
	scratch sync.Pool
	now     func() time.Time
}

// scratch is what one Decode needs besides the notification.
type scratch struct {
	envelope  json.Document
	plain     []byte
	judge     judge
	secretKey func(key []byte, hash uint32) bool
}

// NewDecoder makes a Decoder.
func NewDecoder(cfg Config) *Decoder {
	if cfg.MaxBodyBytes <= 0 {
		cfg.MaxBodyBytes = DefaultMaxBodyBytes
	}
	d := &Decoder{cfg: cfg, now: time.Now}
	d.scratch.New = func() any {
		s := new(scratch)
		s.secretKey = s.judge.secretKey
		return s
	}
	return d
}

// Decode opens a body into n, whose former content is gone, even if Decode
// fails. compression is the AMQP header of that name, empty if there is
// none. body is only read and not kept. Once warm, an uncompressed body is
// decoded without allocating.
//
// # Errors
//
// Always an *Error.
func (d *Decoder) Decode(n *event.Notification, body []byte, compression string) error {
	s := d.scratch.Get().(*scratch)
	n.Reset()
	err := d.decode(n, s, body, compression)
	if err != nil {
		n.Reset()
	}
	if len(body) <= keepBytes && cap(s.plain) <= keepBytes {
		d.scratch.Put(s)
	}
	return err
}

func (d *Decoder) decode(n *event.Notification, s *scratch, body []byte, compression string) error {
	if len(body) > d.cfg.MaxBodyBytes {
		return &Error{TooLarge, fmt.Errorf("a body of %d bytes is over the limit of %d; raise [router] max_body_bytes", len(body), d.cfg.MaxBodyBytes)}
	}
	kind, known := encodingOf(compression)
	if !known {
		return refuse(Compression, fmt.Sprintf("unknown encoding %.32q; set kombu_compression to gzip or bz2, or leave it out", compression))
	}
	if kind != plain {
		var err error
		if s.plain, err = decompress(s.plain[:0], body, kind, d.cfg.MaxBodyBytes); err != nil {
			return err
		}
		body = s.plain
	}
	if err := s.open(n, body); err != nil {
		return err
	}
	n.Redact(s.secretKey, secretText)
	return d.standardFields(n)
}

// open loads the inner object.
func (s *scratch) open(n *event.Notification, body []byte) error {
	if !loadUsual(n, body) {
		message, err := s.unwrap(n.Buffer(), body)
		if err != nil {
			return err
		}
		if err := n.Load(message); err != nil {
			return jsonError(err)
		}
	}
	if n.Root().Kind() != json.Object {
		return refuse(Envelope, "the message is no JSON object")
	}
	return nil
}

// loadUsual is open for what nearly every service sends. If it gives false,
// unwrap says what is the matter.
func loadUsual(n *event.Notification, body []byte) bool {
	text, ok := quoted(body)
	if !ok {
		return false
	}
	rest, ok := n.LoadQuoted(text)
	return ok && closes(rest)
}

// standardFields fills what every notification has.
func (d *Decoder) standardFields(n *event.Notification) error {
	root := n.Root()
	n.Type = n.Keep(root.Member("event_type"))
	if n.Type == "" || len(n.Type) > maxEventType {
		return refuse(NoEventType, fmt.Sprintf("event_type is no string of 1 to %d bytes", maxEventType))
	}
	n.Publisher = n.Keep(root.Member("publisher_id"))
	n.Priority = lower(n.Keep(root.Member("priority")))
	n.MessageID = n.Keep(root.Member("message_id"))
	n.RequestID = requestID(n)
	at, ok := parseTimestamp(n.Keep(root.Member("timestamp")))
	if !ok {
		// A message whose time cannot be read is still news, and it has
		// only just arrived.
		at = d.now()
	} else if d.cfg.Live {
		now := d.now()
		n.Skew = at.Sub(now)
		at = atArrival(at, now)
	}
	n.SetTime(at)
	findOwner(n)
	return nil
}

// requestPaths are where services name the API request, the common one first:
// keystone's basic notifications, nova's versioned ones and CADF send no context.
var requestPaths = paths("/_context_request_id", "/payload/request_id",
	"/payload/nova_object.data/request_id", "/payload/initiator/request_id")

func requestID(n *event.Notification) string {
	for _, p := range requestPaths {
		if id := n.Keep(n.Get(p)); id != "" {
			return id
		}
	}
	return ""
}

// lower gives oslo's priorities without allocating.
func lower(s string) string {
	switch s {
	case "INFO":
		return "info"
	case "ERROR":
		return "error"
	case "WARN":
		return "warn"
	case "DEBUG":
		return "debug"
	case "CRITICAL":
		return "critical"
	case "AUDIT":
		return "audit"
	case "SAMPLE":
		return "sample"
	}
	return strings.ToLower(s)
}

// paths are pointers that are written in this package.
func paths(texts ...string) []json.Pointer {
	list := make([]json.Pointer, len(texts))
	for i, text := range texts {
		p, err := json.ParsePointer(text)
		if err != nil {
			panic(err)
		}
		list[i] = p
	}
	return list
}
