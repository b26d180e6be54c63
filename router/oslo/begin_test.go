package oslo

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// lengthened is a recorded body whose message has another member behind all
// others, which makes it larger than a small one.
func lengthened(t *testing.T, body string) string {
	t.Helper()
	message := strings.TrimRight(inner(t, body), " \n")
	message = strings.TrimSuffix(message, "}") + `, "long": "` + strings.Repeat(`\"[{,`, SmallBody) + `"}`
	return `{"oslo.version": "2.0", "oslo.message": ` + strconv.Quote(message) + `}`
}

// TestBeginKnowsWhose: of every kind of message that services send, however large,
// it has the same fields as Decode.
func TestBeginKnowsWhose(t *testing.T) {
	d := NewDecoder(DefaultConfig())
	var begun, decoded event.Notification
	for _, r := range corpus(t) {
		if whole, err := d.Begin(&begun, []byte(r.Body), ""); !whole || err != nil {
			t.Fatalf("%s: %t, %v", r.About, whole, err)
		}
		if diff := cmp.Diff(r.Want, fieldsOf(&begun)); diff != "" {
			t.Errorf("%s:\n%s", r.About, diff)
		}
		large := lengthened(t, r.Body)
		if err := d.Decode(&decoded, []byte(large), ""); err != nil {
			t.Fatalf("%s: %v", r.About, err)
		}
		for _, c := range []struct {
			compression string
			body        []byte
		}{{"", []byte(large)}, {"gzip", zipped(t, large)}, {"", []byte(inner(t, large))}} {
			whole, err := d.Begin(&begun, c.body, c.compression)
			if whole || err != nil {
				t.Fatalf("%s, large: %t, %v", r.About, whole, err)
			}
			if diff := cmp.Diff(fieldsOf(&decoded), fieldsOf(&begun)); diff != "" {
				t.Errorf("%s, large, %q:\n%s", r.About, c.compression, diff)
			}
		}
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal("cannot compress")
	}
	return b.Bytes()
}

// TestBeginRefusesNothingLarge: what is wrong with a large body is for Decode to
// say, whatever its beginning looks like.
func TestBeginRefusesNothingLarge(t *testing.T) {
	d := NewDecoder(DefaultConfig())
	long := strings.Repeat("x", SmallBody+1)
	for _, body := range []string{
		long, `{"event_type": "` + long, `{"oslo.version": "2.0", "oslo.message": "` + long,
		`{"oslo.version": "2.0", "oslo.message": "{\"event_type\": 1, \"a\": \"` + long,
		`{"event_type": "a.b", ]}]}, ` + long, `{,` + long, strings.Repeat("[", SmallBody+1),
		`{"oslo.version": "2.0", "oslo.message": "` + strings.Repeat("\\", SmallBody),
	} {
		var n event.Notification
		if whole, err := d.Begin(&n, []byte(body), ""); whole || err != nil {
			t.Errorf("%.80q: %t, %v", body, whole, err)
		}
		if err := d.Decode(&n, []byte(body), ""); err == nil {
			t.Errorf("%.80q: decoded", body)
		}
	}
}

// TestBeginRefusesSmall: as Decode, of what it decodes as a whole.
func TestBeginRefusesSmall(t *testing.T) {
	d := NewDecoder(Config{MaxBodyBytes: 2 * SmallBody})
	for want, c := range map[Reason]struct{ body, compression string }{
		NotJSON:     {"{", ""},
		Compression: {"{}", "gzip"},
		NoEventType: {string(zipped(t, "{}")), "gzip"},
		TooLarge:    {strings.Repeat("x", 2*SmallBody+1), ""},
	} {
		var n event.Notification
		whole, err := d.Begin(&n, []byte(c.body), c.compression)
		if got, ok := err.(*Error); !whole || !ok || got.Reason != want {
			t.Errorf("%s: %t, %v", want, whole, err)
		}
	}
}

func FuzzBegin(f *testing.F) {
	for _, r := range corpus(f)[:10] {
		f.Add([]byte(r.Body), 1)
	}
	f.Fuzz(func(t *testing.T, beginning []byte, times int) {
		body := bytes.Repeat(beginning, 1+min(max(times, 0), 40))
		var n event.Notification
		whole, err := NewDecoder(DefaultConfig()).Begin(&n, append(body, make([]byte, SmallBody+1)...), "")
		if whole || err != nil {
			t.Fatalf("%t, %v", whole, err)
		}
	})
}

// The brackets that are open are noted at each comma: more than a notification may have
// must not make that dear.
func TestBeginningDoesNotFollowNestingTooDeep(t *testing.T) {
	for depth, want := range map[int]bool{json.MaxDepth: true, json.MaxDepth + 1: false} {
		text := strings.Repeat("[", depth) + strings.Repeat("1,", 100)
		if got := appendBeginning(nil, []byte(text)); (len(got) > 0) != want {
			t.Errorf("depth %d: %s", depth, got)
		}
	}
}
