package plugin

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
)

// shipping adds self-tests to a module.
func shipping(module []byte, tests string) []byte {
	content := append([]byte{byte(len(abi.SelfTests))}, abi.SelfTests+tests...)
	section := binary.AppendUvarint([]byte{0}, uint64(len(content)))
	return append(module[:len(module):len(module)], append(section, content...)...)
}

const resized = `{"event_type": "compute.x", "timestamp": "2026-11-23 10:00:00.123000"}`

func TestSelfTestsDecideWhetherAVersionTakesOver(t *testing.T) {
	c := testConfig(t)
	h, log := loggingHost(t, c, nil, "50-a.wasm", shipping(guesttest.Assemble(t, guesttest.Saying("1")),
		`[{"about": "it says 1", "before": [`+resized+`], "notification": `+resized+`, "emissions": [{"channel": "public/a", "key": "", "payload": 1 }]}]`))
	w := testRunner(t, h)
	if got := payloads(t, w); got != "a: public/a||1" {
		t.Fatal(got)
	}
	for _, bad := range []struct{ tests, want string }{
		{`[{"about": "it says 1", "notification": ` + resized + `, "emissions": [{"channel": "public/a", "payload": 1}]}]`,
			`it fails its own self-test 1, "it says 1": emission 1 is public/a  2 and should be public/a  1; mend the plugin or the test`},
		{`[{"notification": ` + resized + `}]`,
			`it fails its own self-test 1, "": emission 1 is public/a  2 and should be nothing; mend the plugin or the test`},
		{`[{"notification": ` + resized + `, "emissions": [{"channel": "public/a", "payload": 2}], "stop": true}]`,
			`it fails its own self-test 1, "": whether it stops is false and should be true; mend the plugin or the test`},
		{`[{"notification": {"event_type": "volume.x"}}]`,
			`it fails its own self-test 1, "": it has not asked for "volume.x"; mend the plugin or the test`},
		{`[{"notification": {"event_type": "compute.x", "timestamp": "yesterday"}}]`,
			`it fails its own self-test 1, "": read the notification's timestamp: parsing time "yesterday" as "2006-01-02T15:04:05": cannot parse "yesterday" as "2006"; mend the plugin or the test`},
		{`[{"notification": "` + strings.Repeat("x", maxSelfTestBytes) + `"}]`,
			`its self-tests, in the custom section "hr_selftests", cannot be read: they have 1048598 bytes, over the limit of 1048576; build it again`},
		{`[` + strings.Repeat("{},", maxSelfTests) + `{}]`,
			`its self-tests, in the custom section "hr_selftests", cannot be read: there are 65, over the limit of 64; build it again`},
		{`[{"before": [` + strings.Repeat("0,", maxSelfTestSent-1) + `0]}]`,
			`its self-tests, in the custom section "hr_selftests", cannot be read: 64 messages before the notification of number 1, over the limit of 63; build it again`},
		{`[{"wish": 1}]`, `its self-tests, in the custom section "hr_selftests", cannot be read: json: unknown field "wish"; build it again`},
		{`[] []`, `its self-tests, in the custom section "hr_selftests", cannot be read: something follows them; build it again`},
	} {
		install(t, c.Dir, "50-a.wasm", shipping(guesttest.Assemble(t, guesttest.Saying("2")), bad.tests))
		reload(t, h)
		if s := h.Status()[0]; s.State != Running || s.Refused != "plugin 50-a.wasm: "+bad.want {
			t.Errorf("%s: %.500s", s.State, s.Refused)
		}
		if got := payloads(t, w); got != "a: public/a||1" {
			t.Fatal(got)
		}
	}
	if !strings.Contains(log.String(), "the one before it goes on running") {
		t.Errorf("the log does not say so:\n%.2000s", log)
	}
}

// A self-test's instance has the test's configuration and owner, and a store
// that nobody sees afterwards.
func TestSelfTestsLeaveNothing(t *testing.T) {
	counting := fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "config" (func $config (param i32 i32) (result i32)))
  (import "hr" "log" (func $log (param i32 i32 i32)))
  (import "hr" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0a")
  (data (i32.const 8192) "%s")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (drop (call $config (i32.const %d) (i32.const 16)))
    (call $log (i32.const 3) (i32.const 0) (i32.const 5))
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const %d))
  (func (export "hr_event") (result i64)
    (if (i32.eqz (call $set (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0))) (then unreachable))
    (i64.const %d)))`,
		guesttest.Data(guesttest.Emit("public/a", "", `{"answer":42}`)), 8192+abi.RecordHeader+abi.EmitHeader+len("public/a"),
		4096<<32|4096, 8192<<32|len(guesttest.Emit("public/a", "", `{"answer":42}`)))
	test := `{"about": "its own configuration", "config": {"answer":23}, "notification": ` + resized +
		`, "emissions": [{"channel": "public/a", "key": "", "payload": {"answer": 23}}]}`
	c := testConfig(t)
	h, log := loggingHost(t, c, map[string]Settings{"a": {Config: map[string]any{"answer": 42}}},
		"50-a.wasm", shipping(guesttest.Assemble(t, counting), "["+test+","+test+"]"))
	if s := h.Status()[0]; s.State != Running || s.KVEntries != 0 || s.Instances != 1 || s.Calls != 0 {
		t.Fatalf("got %+v", s)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("the log has %d lines of the plugin's start:\n%s", n, log)
	}
	if got := payloads(t, testRunner(t, h)); got != `a: public/a||{"answer":42}` {
		t.Error(got)
	}
}
