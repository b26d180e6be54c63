package label

import (
	"bytes"
	"strings"
	"testing"

	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

const empty = "\x00asm\x01\x00\x00\x00"

func TestLabelIsWrittenAndRead(t *testing.T) {
	other := "\x00\x03\x01xy" + "\x01\x01\x00"
	module := []byte(empty + other)
	if l, err := Of(module); l != (Label{}) || err != nil {
		t.Errorf("got %+v, %v", l, err)
	}
	for _, want := range []Label{{"a", "1"}, {"volumes", "1.20.300"}, {"a", "2.0"}} {
		module = Put(module, want)
		if l, err := Of(module); l != want || err != nil {
			t.Errorf("got %+v, %v, want %+v", l, err, want)
		}
		if text := string(fuel.Custom(module, abi.Label)); text != want.Name+" "+want.Version {
			t.Errorf("got %q", text)
		}
		if !strings.HasPrefix(string(module), empty+other) || bytes.Count(module, []byte(abi.Label)) != 1 {
			t.Errorf("got %q", module)
		}
	}
	if a, b := (Label{"a", "1"}).Signed(module), (Label{"a", "12"}).Signed(module); bytes.Equal(a, b) {
		t.Error("one signature is for two versions")
	}
}

func TestBadLabelsAreRefused(t *testing.T) {
	write := func(text string) []byte { return Put([]byte(empty), Label{Name: text}) }
	for text, want := range map[string]string{
		"":             `its custom section "hr_plugin": the name "" is no plugin's; use 1 to 64 characters of a-z 0-9 _ -; build it again`,
		"A 1":          `the name "A" is no plugin's`,
		"a":            `the version "" is none; use 1 to 4 numbers with dots between them, such as 1.2.0`,
		"a 1.":         `the version "1. " is none`,
		"a 01":         `is none`,
		"a -1":         `is none`,
		"a +1":         `is none`,
		"a 1.2.3.4.":   `is none`,
		"a 1 2":        `is none`,
		"a v1":         `is none`,
		"a 1234567890": `is none`,
	} {
		if l, err := Of(write(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v", text, l, err)
		}
	}
	twice := append(Put([]byte(empty), Label{"a", "1"}), Put([]byte(empty), Label{"b", "1"})[len(empty):]...)
	if l, err := Of(twice); err == nil || err.Error() != `it has two custom sections "hr_plugin"; build it again` {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestVersionsAreNumbers(t *testing.T) {
	inOrder := []string{"nonsense", "0", "0.0.1", "0.9", "0.10", "1", "1.0.0.1", "2026.12.1"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if Older(a, b) != (i < j) {
				t.Errorf("%s older than %s: %t", a, b, Older(a, b))
			}
		}
	}
	if Older("1", "1.0.0") || Older("1.0", "1") {
		t.Error("1 is 1.0.0")
	}
}

// What is no module has no label, and nothing is read past its end.
func FuzzOf(f *testing.F) {
	f.Add([]byte(empty))
	f.Add(Put([]byte(empty), Label{"a", "1"}))
	f.Add([]byte(empty + "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte(empty + "\x00"))
	f.Fuzz(func(t *testing.T, module []byte) {
		_, _ = Of(module)
		want := Label{"x", "1.2"}
		// The sections before what cannot be read are the same.
		if l, err := Of(Put(module, want)); bytes.HasPrefix(module, []byte("\x00asm")) && err == nil && l != want && l != (Label{}) {
			t.Errorf("got %+v", l)
		}
	})
}
