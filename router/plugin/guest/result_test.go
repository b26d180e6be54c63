package guest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"horizon-realtime/router/json"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
)

var tightLimits = Limits{Emissions: 2, EmissionBytes: 64, ResultBytes: 512}

// tagged makes one of any tag, with any length in its header.
func tagged(tag uint32, length int, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tag)
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	return append(b, body...)
}

func TestResultRefusals(t *testing.T) {
	good := guesttest.Emit("public/a", "", "1")
	lying := func(channel, key uint16) []byte {
		body := binary.LittleEndian.AppendUint16(nil, channel)
		body = binary.LittleEndian.AppendUint16(body, key)
		body = append(body, 0, 0, 0, 0, 'p', '1')
		return tagged(abi.TagEmit, len(body), body)
	}
	for _, c := range []struct {
		name  string
		block []byte
		want  string
	}{
		{"cut header", good[:5], "ends in the middle of a record's header, at byte 0 of 5"},
		{"cut second header", append(slices.Clone(good), 1, 0, 0), "ends in the middle of a record's header, at byte 25 of 28"},
		{"cut body", good[:len(good)-1], "has a record at byte 0 whose body of 17 bytes goes past the end"},
		{"huge body", tagged(abi.TagEmit, 0xffffffff, nil), "has a record at byte 0 whose body of 4294967295 bytes goes past the end"},
		{"huge unknown record", tagged(77, 0x80000000, []byte("x")), "has a record at byte 0 whose body of 2147483648 bytes goes past the end"},
		{"no room for the header", tagged(abi.TagEmit, 4, make([]byte, 4)), "has a bad emission at byte 0: its body has 4 bytes, its header alone takes 8"},
		{"channel past the end", lying(3, 0), "has a bad emission at byte 0: channel and key take 3 bytes, the body has 2"},
		{"key past the end", lying(1, 65535), "has a bad emission at byte 0: channel and key take 65536 bytes, the body has 2"},
		{"no channel", guesttest.Emit("", "", "1"), "has a bad emission at byte 0: it has no channel"},
		{"channel not UTF-8", guesttest.Emit("public/\xff", "", "1"), "has a bad emission at byte 0: the channel is not valid UTF-8"},
		{"key not UTF-8", guesttest.Emit("public/a", "\xc0\x80", "1"), "has a bad emission at byte 0: the key is not valid UTF-8"},
		{"unknown flag", append(slices.Clone(good[:12]), append([]byte{3, 0, 0, 0}, good[16:]...)...), "has a bad emission at byte 0: it has the flags 0x2, which this router does not know"},
		{"second one bad", append(slices.Clone(good), guesttest.Emit("public/a", "\xff", "1")...), "has a bad emission at byte 25: the key is not valid UTF-8"},
		{"many", bytes.Repeat(good, 3), "has more than 2 emissions; emit less, or raise [plugins] emissions_per_event"},
		{"long block", make([]byte, 513), "has 513 bytes, over the limit of 512; emit less, or raise [plugins] bytes_per_event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Result{Emissions: make([]Emission, 1), Stop: true}
			err := r.decode(c.block, &tightLimits)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if len(r.Emissions) != 0 || r.Dropped != 0 || r.Stop {
				t.Errorf("a refused block leaves %v", r)
			}
		})
	}
}

// What is too long, or ambiguous, costs the emission, and not the others of the call.
func TestResultDropsEmissions(t *testing.T) {
	good := guesttest.Emit("public/a", "k", "1")
	for name, c := range map[string]struct {
		long []byte
		want string
	}{
		"channel": {guesttest.Emit(strings.Repeat("a", 161), "", "1"), "a channel has at most 160 bytes, not 161"},
		"key":     {guesttest.Emit("public/a", strings.Repeat("a", 129), "1"), "a key has at most 128 bytes, not 129"},
		"payload": {guesttest.Emit("public/a", "", `"`+strings.Repeat("a", 63)+`"`), "the payload has 65 bytes, over the limit of 64; send less, or raise [plugins] bytes_per_emission"},
		"lines":   {guesttest.Emit("public/a", "a\nb", "1"), "the key has control characters"},
		"twice":   {guesttest.Emit("public/a", "", `{"a":1,"a":2}`), `the payload is JSON that readers take differently: the member "a" comes twice in an object, at byte 7`},
	} {
		for _, block := range [][]byte{append(slices.Clone(c.long), good...), append(slices.Clone(good), c.long...)} {
			var r Result
			if err := r.decode(block, &tightLimits); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(r.Emissions) != 1 || string(r.Emissions[0].Key) != "k" || r.Dropped != 1 || r.Reason.Error() != c.want {
				t.Errorf("%s: got %+v", name, r)
			}
		}
		var r Result
		if err := r.decode(bytes.Repeat(c.long, 3), &tightLimits); err == nil || r.Dropped != 0 {
			t.Errorf("%s: three of them, and two may be: %+v", name, r)
		}
	}
}

func TestResultRefusesWhatIsNotOneLineOfJSON(t *testing.T) {
	for _, payload := range []string{"", "{", "{}{}", "{\"a\":\n1}", "nope", "\"\xff\"", "{\"a\":1}\n"} {
		var r Result
		err := r.decode(guesttest.Emit("public/a", "", payload), &tightLimits)
		if err == nil || !strings.HasPrefix(err.Error(), "has a bad emission at byte 0: the payload is not one line of JSON: ") {
			t.Errorf("%q: got %v", payload, err)
		}
	}
}

func TestResultSkipsUnknownRecords(t *testing.T) {
	block := tagged(99, 3, []byte("xyz"))
	block = append(block, guesttest.Emit("public/a", "k", "[1]")...)
	block = append(block, tagged(7, 0, nil)...)
	block = append(block, guesttest.Stop()...)
	var r Result
	if err := r.decode(block, &tightLimits); err != nil {
		t.Fatal(err)
	}
	if len(r.Emissions) != 1 || !r.Stop {
		t.Fatalf("got %+v", r)
	}
	if e := r.Emissions[0]; string(e.Channel) != "public/a" || string(e.Key) != "k" || string(e.Payload) != "[1]" || e.Removed {
		t.Errorf("got %+v", e)
	}
}

func FuzzResult(f *testing.F) {
	f.Add(guesttest.Emit("public/a", "k", `{"v":1}`))
	f.Add(append(guesttest.Emit("project/p/t", "", "null"), guesttest.Stop()...))
	f.Add(tagged(abi.TagEmit, 0xffffffff, nil))
	f.Add(tagged(99, 2, []byte("xy")))
	f.Fuzz(func(t *testing.T, block []byte) {
		before := bytes.Clone(block)
		var r Result
		err := r.decode(block, &tightLimits)
		if !bytes.Equal(before, block) {
			t.Fatal("the block was changed")
		}
		if err != nil {
			if len(r.Emissions) != 0 || r.Stop {
				t.Fatal("something is left of a refused block")
			}
			return
		}
		if len(block) > tightLimits.ResultBytes || len(r.Emissions)+r.Dropped > tightLimits.Emissions {
			t.Fatal("over the limits")
		}
		total := 0
		for _, e := range r.Emissions {
			total += len(e.Channel) + len(e.Key) + len(e.Payload) + abi.RecordHeader + abi.EmitHeader
			if len(e.Channel) == 0 || len(e.Channel) > maxChannelBytes || len(e.Key) > maxKeyBytes ||
				len(e.Payload) > tightLimits.EmissionBytes || !utf8.Valid(e.Channel) || !utf8.Valid(e.Key) || new(json.LineChecker).Check(e.Payload) != nil {
				t.Fatalf("admitted %q %q %q", e.Channel, e.Key, e.Payload)
			}
		}
		if total > len(block) {
			t.Fatal("emissions overlap")
		}
	})
}
