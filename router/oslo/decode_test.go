package oslo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// recorded is a line of testdata/recorded.jsonl: a message that a service of
// OpenStack Zed put on its bus, and what is to be read from it. The Keystone
// tokens in the bodies are replaced by `gAAAAABlab-token-…`.
type recorded struct {
	About string
	Want  fields
	Body  string
}

type fields struct {
	Type      string `json:"type"`
	Publisher string `json:"publisher"`
	Priority  string `json:"priority"`
	MessageID string `json:"message_id"`
	RequestID string `json:"request_id"`
	Project   string `json:"project"`
	User      string `json:"user"`
	Resource  string `json:"resource"`
	At        string `json:"at"`
}

func fieldsOf(n *event.Notification) fields {
	return fields{
		strings.Clone(n.Type), strings.Clone(n.Publisher), n.Priority, strings.Clone(n.MessageID), strings.Clone(n.RequestID),
		strings.Clone(n.Project), strings.Clone(n.User), strings.Clone(n.Resource), strings.Clone(n.AtText),
	}
}

func corpus(t testing.TB) []recorded {
	t.Helper()
	file, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []recorded
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := stdjson.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if lines.Err() != nil || len(list) == 0 {
		t.Fatalf("read %d messages: %v", len(list), lines.Err())
	}
	return list
}

// inner is the message inside an envelope.
func inner(t testing.TB, body string) string {
	t.Helper()
	var envelope map[string]string
	if err := stdjson.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope["oslo.message"]
}

func TestDecodeRecorded(t *testing.T) {
	d := NewDecoder(DefaultConfig())
	var n event.Notification // reused, as the router does
	for _, r := range corpus(t) {
		t.Run(r.Want.Type, func(t *testing.T) {
			for form, body := range map[string]string{"envelope": r.Body, "bare": inner(t, r.Body)} {
				given := strings.Clone(body)
				if err := d.Decode(&n, []byte(body), ""); err != nil {
					t.Fatalf("%s (%s): %v", r.About, form, err)
				}
				if diff := cmp.Diff(r.Want, fieldsOf(&n)); diff != "" {
					t.Errorf("%s (%s): %s", r.About, form, diff)
				}
				if body != given {
					t.Errorf("%s (%s): the body was written to", r.About, form)
				}
				for _, secret := range []string{"lab-token", "gAAAA"} {
					if bytes.Contains(n.Raw(), []byte(secret)) {
						t.Errorf("%s (%s): %q is left in %s", r.About, form, secret, n.Raw())
					}
				}
				checkRedacted(t, inner(t, r.Body), n.Raw())
			}
		})
	}
}

// Nearly all messages must go the short way: the other one gives the same.
func TestMostMessagesAreLoadedInPlace(t *testing.T) {
	inPlace := 0
	all := corpus(t)
	for _, r := range all {
		var n event.Notification
		if loadUsual(&n, []byte(r.Body)) {
			inPlace++
		}
	}
	if inPlace < len(all)*3/4 { // the recording has more of the odd ones than a cloud
		t.Errorf("%d of %d", inPlace, len(all))
	}
}

// checkRedacted compares what is left with what there was: every value is as it
// was, or null in a place that may be hidden.
func checkRedacted(t *testing.T, before string, after []byte) {
	t.Helper()
	var was, is any
	if err := stdjson.Unmarshal([]byte(before), &was); err != nil {
		t.Fatal(err)
	}
	if err := stdjson.Unmarshal(after, &is); err != nil {
		t.Fatalf("no longer JSON: %v: %s", err, after)
	}
	hidden := map[string]bool{
		"_context_auth_token": true, "_context_service_catalog": true, "_context": true, "connection_info": true, "provider_auth": true,
		"_context_system_scope": true, "_context_read_only": true, "_context_show_deleted": true, "_context_resource_uuid": true,
		"_context_user_identity": true, "_context_is_admin_project": true, "_context_read_deleted": true, "_context_remote_address": true,
		"_context_quota_class": true, "_context_message_resource_id": true, "_context_message_resource_type": true, "_context_message_action": true,
	}
	var walk func(path string, was, is any)
	walk = func(path string, was, is any) {
		object, ok := was.(map[string]any)
		if !ok {
			if list, ok := was.([]any); ok {
				for i := range list {
					walk(path+"[]", list[i], is.([]any)[i])
				}
			} else if was != is {
				t.Errorf("%s was %v, is %v", path, was, is)
			}
			return
		}
		for key := range object {
			now := is.(map[string]any)[key]
			if empty, _ := stdjson.Marshal(now); hidden[key] && (string(empty) == "null" || string(empty) == "[]" || string(empty) == "{}") {
				continue
			}
			walk(path+"/"+key, object[key], now)
		}
	}
	walk("", was, is)
}

func TestDecodeUnicode(t *testing.T) {
	var n event.Notification
	found := 0
	for _, r := range corpus(t) {
		if r.About != "a name outside ASCII" {
			continue
		}
		if err := NewDecoder(Config{}).Decode(&n, []byte(r.Body), ""); err != nil {
			t.Fatal(err)
		}
		for _, p := range paths("/payload/network/name", "/payload/display_name", "/payload/nova_object.data/display_name") {
			if name := n.Get(p).Text(); name != "" {
				found++
				if !strings.Contains(name, "☃") || strings.Contains(name, `\u`) {
					t.Errorf("%s: the name is %q", r.Want.Type, name)
				}
			}
		}
	}
	if found != 3 {
		t.Errorf("found %d names", found)
	}
}

// Layouts of the envelope that oslo.messaging does not write, but JSON allows.
func TestDecodeOtherEnvelopes(t *testing.T) {
	const message = `"{\"event_type\":\"x\",\"message_id\":\"\\u2603\"}"`
	d := NewDecoder(DefaultConfig())
	var n event.Notification
	for _, body := range []string{
		`{"oslo.version":"2.0","oslo.message":` + message + `}`,
		" {\n\t\"oslo.version\" : \"2.0\" ,\r\n \"oslo.message\" : " + message + " } \n",
		`{"oslo.message":` + message + `,"oslo.version":"2.0"}`,
		`{"oslo.version":"2.1","oslo.message":` + message + `}`,
		`{"oslo.version":"2.0","oslo.message":` + message + `,"more":[{}]}`,
		`{"oslo\u002eversion":"2.0","oslo.message":` + message + `}`,
	} {
		if err := d.Decode(&n, []byte(body), ""); err != nil {
			t.Errorf("%s: %v", body, err)
		} else if n.Type != "x" || n.MessageID != "☃" {
			t.Errorf("%s: %+v", body, fieldsOf(&n))
		}
	}
}

func TestDecodeCompressed(t *testing.T) {
	const message = `{"event_type":"image.create","payload":{"owner":"p","id":"i"}}`
	var deflate, gzipped bytes.Buffer
	z := zlib.NewWriter(&deflate)
	z.Write([]byte(message))
	z.Close()
	g := gzip.NewWriter(&gzipped)
	g.Write([]byte(message))
	g.Close()
	// Python's bz2.compress of the message.
	bzip, err := hex.DecodeString(bzippedMessage)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(DefaultConfig())
	var n event.Notification
	for name, body := range map[string][]byte{
		"":                   []byte(message),
		"application/x-gzip": deflate.Bytes(), // as kombu has it
		"gzip":               gzipped.Bytes(),
		"zlib":               deflate.Bytes(),
		"application/x-bz2":  bzip,
		"bzip2":              bzip,
	} {
		if err := d.Decode(&n, body, name); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if n.Type != "image.create" || n.Project != "p" || n.Resource != "i" {
			t.Errorf("%s: %+v", name, fieldsOf(&n))
		}
	}
}

const bzippedMessage = "425a6839314159265359a697e97500001d1b80100500100000aea7d5aa200054500188d34d1a113d2993f451ea69a64f51dbb8c2cb10a17a64211339f2bcc1b9ae2fad411497989b52db4b37a69236ec03e2ee48a70a1214d2fd2ea0"

func TestDecodeRefusals(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte(" "), 1<<20))
	z.Close()
	for name, tc := range map[string]struct {
		body, compression string
		want              Reason
	}{
		"empty":                {"", "", NotJSON},
		"truncated":            {`{"oslo.version": "2.0", "oslo.message": "{\"event_ty`, "", NotJSON},
		"truncated inside":     {`{"oslo.version":"2.0","oslo.message":"{\"event_type\":"}`, "", NotJSON},
		"twice":                {`{"event_type":"a"}{"event_type":"b"}`, "", NotJSON},
		"a list":               {`[1]`, "", Envelope},
		"a list inside":        {`{"oslo.version":"2.0","oslo.message":"[1]"}`, "", Envelope},
		"an object inside":     {`{"oslo.version":"2.0","oslo.message":{"event_type":"a"}}`, "", Envelope},
		"something behind it":  {`{"oslo.version":"2.0","oslo.message":"{\"event_type\":\"a\"}"}}`, "", NotJSON},
		"a comma behind it":    {`{"oslo.version":"2.0","oslo.message":"{\"event_type\":\"a\"}",}`, "", NotJSON},
		"a bad escape inside":  {`{"oslo.version":"2.0","oslo.message":"{\"event_type\":\x"}`, "", NotJSON},
		"latin 1 inside":       {"{\"oslo.version\":\"2.0\",\"oslo.message\":\"{\\\"event_type\\\":\\\"\xe4\\\"}\"}", "", NotUTF8},
		"another version":      {`{"oslo.version":"3.0","oslo.message":"{\"event_type\":\"a\"}"}`, "", Envelope},
		"no version":           {`{"oslo.message":"{\"event_type\":\"a\"}"}`, "", Envelope},
		"null inside":          {`{"oslo.version":"2.0","oslo.message":null}`, "", Envelope},
		"no event type":        {`{"payload":{}}`, "", NoEventType},
		"empty event type":     {`{"event_type":""}`, "", NoEventType},
		"numeric event type":   {`{"event_type":5}`, "", NoEventType},
		"endless event type":   {`{"event_type":"` + strings.Repeat("a", maxEventType+1) + `"}`, "", NoEventType},
		"an RPC request":       {`{"oslo.version":"2.0","oslo.message":"{\"method\":\"x\",\"args\":{}}"}`, "", NoEventType},
		"latin 1":              {"{\"event_type\":\"\xe4\"}", "", NotUTF8},
		"too deep":             {strings.Repeat(`{"a":`, 80) + "1" + strings.Repeat("}", 80), "", TooDeep},
		"too deep inside":      {`{"oslo.version":"2.0","oslo.message":"` + strings.Repeat("[", 80) + `"}`, "", TooDeep},
		"too many":             {`[` + strings.Repeat("1,", json.MaxNodes) + `1]`, "", TooManyValues},
		"too large":            {strings.Repeat(" ", 1<<18+1), "", TooLarge},
		"a bomb":               {bomb.String(), "application/x-gzip", TooLarge},
		"not compressed":       {`{"event_type":"a"}`, "gzip", Compression},
		"not bzip2":            {`{"event_type":"a"}`, "bzip2", Compression},
		"cut off":              {bomb.String()[:20], "gzip", Compression},
		"unknown encoding":     {`{}`, "application/zstd", Compression},
		"an encoding's lookup": {`{}`, "gzip, bzip2", Compression},
	} {
		t.Run(name, func(t *testing.T) {
			n := event.Notification{Type: "old", Project: "old"}
			err := NewDecoder(Config{MaxBodyBytes: 1 << 18}).Decode(&n, []byte(tc.body), tc.compression)
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Reason != tc.want {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			if !strings.HasPrefix(err.Error(), string(tc.want)+": ") || errors.Unwrap(err) == nil {
				t.Errorf("the error reads %q", err)
			}
			if fieldsOf(&n) != (fields{}) || n.Raw() != nil {
				t.Errorf("something of a refused message is left: %+v", fieldsOf(&n))
			}
		})
	}
}

func TestDecodeFillsIn(t *testing.T) {
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	d := NewDecoder(DefaultConfig())
	d.now = func() time.Time { return now }
	var n event.Notification
	for body, want := range map[string]fields{
		`{"event_type":"x"}`: {Type: "x", At: "2026-11-23T15:00:00.000Z"},
		`{"event_type":"x.y","priority":"Sample","timestamp":"yesterday","message_id":5}`:                   {Type: "x.y", Priority: "sample", At: "2026-11-23T15:00:00.000Z"},
		`{"\u0065vent_type":"\u0078","timestamp":"2026-11-23T15:01:02+01:00","payload":{"request_id":"r"}}`: {Type: "x", RequestID: "r", At: "2026-11-23T14:01:02.000Z"},
	} {
		if err := d.Decode(&n, []byte(body), ""); err != nil {
			t.Errorf("%s: %v", body, err)
		} else if diff := cmp.Diff(want, fieldsOf(&n)); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestATimeFarFromArrivalIsTheArrivals(t *testing.T) {
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	const nowText = "2026-11-23T15:00:00.000Z"
	for timestamp, want := range map[string]struct{ live, recorded string }{
		"2026-11-23 14:59:59.5":      {"2026-11-23T14:59:59.500Z", "2026-11-23T14:59:59.500Z"},
		"2026-11-23 15:00:10":        {"2026-11-23T15:00:10.000Z", "2026-11-23T15:00:10.000Z"},
		"2026-11-23 15:00:10.001":    {nowText, "2026-11-23T15:00:10.001Z"},
		"2026-11-23 15:10:00":        {nowText, "2026-11-23T15:10:00.000Z"},
		"2026-10-26 15:00:00":        {"2026-10-26T15:00:00.000Z", "2026-10-26T15:00:00.000Z"},
		"2026-10-26 14:59:59.999":    {nowText, "2026-10-26T14:59:59.999Z"},
		"0001-01-01 00:00:00":        {nowText, nowText},
		"0001-01-01T00:00:00+23:59":  {nowText, nowText},
		"9999-12-31 23:59:60":        {nowText, nowText},
		"9999-12-31 23:59:59 -12:00": {nowText, nowText},
		"2009-12-31 23:59:59":        {nowText, nowText},
	} {
		for _, live := range []bool{true, false} {
			d := NewDecoder(Config{Live: live})
			d.now = func() time.Time { return now }
			var n event.Notification
			if err := d.Decode(&n, []byte(`{"event_type":"x","timestamp":"`+timestamp+`"}`), ""); err != nil {
				t.Fatal(err)
			}
			if at := map[bool]string{true: want.live, false: want.recorded}[live]; n.AtText != at {
				t.Errorf("%s, live %t: %s, want %s", timestamp, live, n.AtText, at)
			}
			if want.recorded == nowText || !live {
				continue
			}
			if skew, err := time.Parse(event.TimeLayout, want.recorded); err != nil || n.Skew != skew.Sub(now) {
				t.Errorf("%s: skew %s, want %s", timestamp, n.Skew, skew.Sub(now))
			}
		}
	}
}

func TestDecodeTakesNaN(t *testing.T) {
	const message = `{"event_type": "compute.instance.update", "payload": {"tenant_id": "p", "ratio": NaN, "range": [-Infinity, 1]}}`
	for _, body := range []string{message, `{"oslo.version": "2.0", "oslo.message": ` + strconv.Quote(message) + `}`} {
		var n event.Notification
		if err := NewDecoder(DefaultConfig()).Decode(&n, []byte(body), ""); err != nil {
			t.Fatal(err)
		}
		if got := n.Get(payload("ratio")[0]).Kind(); n.Project != "p" || got != json.Null || !stdjson.Valid(n.Raw()) {
			t.Errorf("kind %d in %s", got, n.Raw())
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := NewDecoder(DefaultConfig())
	var n event.Notification
	var bodies [][]byte
	for _, r := range corpus(t) {
		bodies = append(bodies, []byte(r.Body))
	}
	// Not Decode itself: a pool may forget what it holds, and does so at
	// random under the race detector.
	s := d.scratch.Get().(*scratch)
	allocs := testing.AllocsPerRun(20, func() {
		for _, body := range bodies {
			n.Reset()
			if err := d.decode(&n, s, body, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for %d messages", allocs, len(bodies))
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range corpus(f)[:12] {
		f.Add([]byte(r.Body), "")
		f.Add([]byte(inner(f, r.Body)), "")
	}
	f.Add([]byte(`{"event_type":"network.create.end","payload":{"networks":[{"project_id":"p"},{"tenant_id":"p"}]}}`), "")
	f.Add([]byte(`{"event_type":"x","a":"{\"token\":1}","\u0070assword":"\ud800","b":["gAAAAA",{}]}`), "gzip")
	d := NewDecoder(Config{MaxBodyBytes: 1 << 16})
	var n event.Notification
	f.Fuzz(func(t *testing.T, body []byte, compression string) {
		err := d.Decode(&n, body, compression)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) {
				t.Fatalf("an error of type %T: %v", err, err)
			}
			return
		}
		if n.Type == "" || n.AtText == "" {
			t.Fatal("accepted without a type or a time")
		}
		if !stdjson.Valid(n.Raw()) {
			t.Fatalf("no longer JSON: %s", n.Raw())
		}
		noSecretKeys(t, n.Raw())
	})
}

// noSecretKeys looks with encoding/json for a secret that is still there.
func noSecretKeys(t *testing.T, text []byte) {
	var all any
	if stdjson.Unmarshal(text, &all) != nil {
		return
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for key, e := range v {
				left, _ := stdjson.Marshal(e)
				if isSecretName([]byte(key)) && !strings.Contains(` null 0 "" {} [] `, " "+string(left)+" ") {
					t.Fatalf("%q still has %s", key, left)
				}
				walk(e)
			}
		}
	}
	walk(all)
}

func BenchmarkDecode(b *testing.B) {
	var bodies [][]byte
	total := 0
	for _, r := range corpus(b) {
		bodies = append(bodies, []byte(r.Body))
		total += len(r.Body)
	}
	b.Run("Decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(total / len(bodies)))
		d := NewDecoder(DefaultConfig())
		var n event.Notification
		for i := 0; b.Loop(); i++ {
			if err := d.Decode(&n, bodies[i%len(bodies)], ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(total / len(bodies)))
		for i := 0; b.Loop(); i++ {
			var envelope map[string]string
			var message map[string]any
			if err := stdjson.Unmarshal(bodies[i%len(bodies)], &envelope); err != nil {
				b.Fatal(err)
			}
			if err := stdjson.Unmarshal([]byte(envelope["oslo.message"]), &message); err != nil {
				b.Fatal(err)
			}
		}
	})
}
