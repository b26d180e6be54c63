package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin"
)

// What a tenant may write is told without harm: each field of each golden
// notification is put to the extreme that its service lets pass, and the stock
// plugins tell it with a tenth of their fuel. A field that several cases of a
// plugin have alike is tried in one of them.
func TestWhatTenantsMayWriteIsBorne(t *testing.T) {
	_, cases, _ := tables(t)
	f := openFrugal(t)
	samples := elements(t, cases)
	tried := map[string]bool{}
	for _, c := range cases {
		f.about(t, c.Notification)
		want, fault := f.send(t, c.Notification)
		if fault != "" {
			t.Errorf("%s/%s, as it is: %s", c.plugin, c.Name, fault)
		}
		alike := c.plugin + " " + phase(c.event) + " " + strings.Join(want, " ")
		for x := range extremes(t, c.Notification, samples) {
			if tried[alike+x.what] {
				continue
			}
			tried[alike+x.what] = true
			again := f.again
			got, fault := f.send(t, x.message())
			if fault != "" {
				t.Errorf("%s/%s, %s: %s", c.plugin, c.Name, x.what, fault)
				continue
			}
			for _, channel := range want {
				// Before, and once is enough; or in the call that then ran out of fuel.
				counted := (f.resource == nil || f.again > again) && strings.HasSuffix(channel, "/usage")
				if x.told && !counted && !slices.Contains(got, channel) {
					t.Errorf("%s/%s, %s: %s is not told", c.plugin, c.Name, x.what, channel)
				}
			}
		}
	}
	t.Logf("%d notifications were sent, %d of them a second time", f.sent, f.again)
	if f.again > f.sent/500 {
		t.Errorf("%d of %d notifications had to be sent again: the plugins make too much garbage", f.again, f.sent)
	}
}

// frugal are the stock plugins with a tenth of their fuel.
type frugal struct {
	*stock
	log         bytes.Buffer
	sent, again int
	// resource is the id that stands for one that no plugin remembers.
	resource []byte
}

// about sets whose messages are sent next.
func (f *frugal) about(t *testing.T, message []byte) {
	var n event.Notification
	if err := decoder.Decode(&n, message, ""); err != nil {
		t.Fatalf("the router does not take %.200s: %v", message, err)
	}
	f.resource = nil
	if len(n.Resource) >= 16 {
		f.resource = []byte(n.Resource)
	}
}

func openFrugal(t *testing.T) *frugal {
	f := new(frugal)
	var err error
	f.stock, err = openWith(context.Background(), root, slog.New(slog.NewTextHandler(&f.log, nil)), func(c *plugin.Config) {
		c.Fuel /= 10
		c.FaultLimit, c.FaultPause, c.FaultWindow = 1000, time.Millisecond, time.Second
		c.CallTimeout, c.SlowPerSecond = time.Minute, time.Minute // the machine's load is not what is tested
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

// send gives the channels that are told of a message, or what went wrong. A
// garbage collection takes more than a tenth of the fuel, and seldom strikes
// twice in a row. What other plugins told the first time counts: they may not tell
// it again.
func (f *frugal) send(t *testing.T, message []byte) (channels []string, fault string) {
	t.Helper()
	n := new(event.Notification)
	if err := decoder.Decode(n, f.fresh(message), ""); err != nil {
		t.Fatalf("the router does not take %.200s: %v", message, err)
	}
	for try := range 2 {
		f.sent, f.again = f.sent+1, f.again+try
		f.log.Reset()
		outcome := f.worker.Handle(context.Background(), n, func(e plugin.Emission) {
			channels = append(channels, string(e.Channel))
		})
		if outcome.Faults+outcome.Skipped == 0 {
			slices.Sort(channels)
			return slices.Compact(channels), ""
		}
		fault = f.log.String()
		for until := time.Now().Add(4 * time.Millisecond); time.Now().Before(until); { // the pause after a fault
		}
	}
	return nil, fault
}

// fresh gives a message and its resource ids of their own (of two members, the last
// counts), so that no plugin takes it for one that it has told of.
func (f *frugal) fresh(message []byte) []byte {
	i := f.sent
	if f.resource != nil {
		message = bytes.ReplaceAll(message, f.resource, fmt.Appendf(nil, "resource-%d", i))
	}
	rest, _ := bytes.CutSuffix(bytes.TrimSpace(message), []byte("}"))
	return fmt.Appendf(rest[:len(rest):len(rest)], `,"message_id":"extreme-%d","_context_request_id":"req-extreme-%d"}`, i, i)
}

// phase is the last segment of an event type.
func phase(event string) string {
	_, last := cutLast(event)
	return last
}

// extreme is a message with one field at its limit. told says that the field
// decides neither what the message is about nor what is to be said of it, so that
// it is to be told as before.
type extreme struct {
	what    string
	message func() []byte
	told    bool
}

const (
	// letters is how long services let names and descriptions be, in characters.
	letters = 255
	// longText is the longest text of all, an image's property, in bytes.
	longText = 65_535
	// many is how many fixed addresses, attachments or members a thing may have
	// without a quota of its own, and several what one request may create.
	many, several = 2000, 60
	// properties is glance's quota of an image's properties. large is how many of
	// the longest the router takes in one message.
	properties, large = 128, 40
	// maxValues is about how many values of any kind the router takes.
	maxValues = 60_000
)

// texts are what a tenant may put where a string is, as JSON.
var texts = map[string]string{
	"quotes":     quoted(strings.Repeat(`"`, letters)),
	"Cyrillic":   quoted(strings.Repeat("Ж", letters)),
	"controls":   quoted(strings.Repeat("\x01", letters)),
	"long":       quoted(strings.Repeat("A", longText)),
	"long, wide": quoted(strings.Repeat("☃", longText/3)),
}

func quoted(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// extremes puts each field of a message's payload to its limits in turn.
func extremes(t *testing.T, message []byte, samples map[string]any) iter.Seq[extreme] {
	var inner map[string]any
	if err := json.Unmarshal(message, &inner); err != nil {
		t.Fatal(err)
	}
	return func(yield func(extreme) bool) {
		walk("", inner["payload"], func(to any) { inner["payload"] = to }, func(path string, v any, set func(any)) bool {
			set("\x00") // to be cut at
			before, after, _ := strings.Cut(quoted(inner), `"\u0000"`)
			set(v)
			for _, how := range limitsOf(path, v, samples) {
				x := extreme{path + " " + how.name, func() []byte { return []byte(before + how.text() + after) }, !decides(path) && how.allowed(path)}
				if !yield(x) {
					return false
				}
			}
			return true
		})
	}
}

// walk visits what is in v, inner values first, of a list the first one only.
func walk(path string, v any, set func(any), visit func(path string, v any, set func(any)) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !walk(path+"/"+name, v[name], func(to any) { v[name] = to }, visit) {
				return false
			}
		}
	case []any:
		if len(v) > 0 && !walk(path+"/-", v[0], func(to any) { v[0] = to }, visit) {
			return false
		}
	}
	return visit(path, v, set)
}

// allowed reports whether the service would take the value there: names and ids
// have 255 characters at most, and only texts more.
func (l *limit) allowed(path string) bool {
	if !strings.HasPrefix(l.name, "long") {
		return true
	}
	for _, short := range []string{"name", "node", "stack_identity", "resource_info", "project", "user", "group"} {
		if strings.HasSuffix(path, short) {
			return false
		}
	}
	return true
}

// limit is a value at its limit, as JSON.
type limit struct {
	name string
	text func() string
}

func limitsOf(path string, v any, samples map[string]any) (all []limit) {
	switch v := v.(type) {
	case map[string]any:
		all = append(all, limit{"with many members", func() string { return quoted(grown(v, properties, letters)) }})
		if path == "" || free[path[strings.LastIndexByte(path, '/')+1:]] {
			all = append(all, limit{"with large members", func() string { return quoted(grown(v, large, longText)) }})
		}
	case []any:
		one, known := samples[path]
		if len(v) > 0 {
			one, known = v[0], true
		}
		if known {
			all = append(all,
				limit{"of many", func() string { return quoted(slices.Repeat([]any{one}, min(many, maxValues/values(one)))) }},
				limit{"of several with long names", func() string { return quoted(slices.Repeat([]any{wordy(one)}, several)) }})
		}
		if _, ok := one.(string); known && !ok {
			return all
		}
		all = append(all, limit{"of strings", func() string { return quoted(slices.Repeat([]any{strings.Repeat(`"`, letters)}, many)) }})
	case string, nil:
		for how, text := range texts {
			all = append(all, limit{how, func() string { return text }})
		}
	}
	return all
}

// free are objects whose members tenants name.
var free = map[string]bool{"properties": true, "metadata": true, "meta_data": true, "extra_specs": true}

// grown is an object with so many members more, of so many bytes each.
func grown(old map[string]any, count, size int) map[string]any {
	more := maps.Clone(old)
	for i := range count {
		more[fmt.Sprintf("%d%s", i, strings.Repeat(`"`, letters-3))] = strings.Repeat("я", size/2)
	}
	return more
}

// values counts the values in v, and v itself.
func values(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += values(member)
		}
	case []any:
		for _, element := range v {
			n += values(element)
		}
	}
	return n
}

// wordy is an element whose every name is as long as may be.
func wordy(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	object = maps.Clone(object)
	for name, member := range object {
		if _, ok := member.(string); ok && !decides("/"+name) {
			object[name] = strings.Repeat(`"`, letters)
		}
	}
	return object
}

// decides reports whether a member says what a message is about, whose that is, or
// what has become of it.
func decides(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch name {
	case "", "id", "uuid", "owner", "state", "status", "outcome", "action", "flavorid", "on_behalf_of", "nova_object.data", "exception", "reason", "state_description":
		return true
	}
	return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_state") || strings.HasSuffix(name, "uuid")
}

// elements are what lists of the golden notifications have in them, by their path,
// for those that are empty elsewhere.
func elements(t *testing.T, cases []golden) map[string]any {
	found := map[string]any{}
	for _, c := range cases {
		var inner struct{ Payload any }
		if err := json.Unmarshal(c.Notification, &inner); err != nil {
			t.Fatal(err)
		}
		walk("", inner.Payload, func(any) {}, func(path string, v any, _ func(any)) bool {
			if list, ok := v.([]any); ok && len(list) > 0 {
				found[path] = list[0]
			}
			return true
		})
	}
	return found
}
