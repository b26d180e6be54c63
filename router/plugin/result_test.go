package plugin

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

var testLimits = limits{emissions: 2, emission: 64, result: 512}

// tagged makes one of any tag, with any length in its header.
func tagged(tag uint32, length int, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tag)
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	return append(b, body...)
}

func TestResultRefusals(t *testing.T) {
	good := emitRecord("public/a", "", "1")
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
		{"no channel", emitRecord("", "", "1"), "has a bad emission at byte 0: a channel has 1 to 160 bytes, not 0"},
		{"long channel", emitRecord(strings.Repeat("a", 161), "", "1"), "has a bad emission at byte 0: a channel has 1 to 160 bytes, not 161"},
		{"long key", emitRecord("public/a", strings.Repeat("a", 129), "1"), "has a bad emission at byte 0: a key has at most 128 bytes, not 129"},
		{"channel not UTF-8", emitRecord("public/\xff", "", "1"), "has a bad emission at byte 0: the channel is not valid UTF-8"},
		{"key not UTF-8", emitRecord("public/a", "\xc0\x80", "1"), "has a bad emission at byte 0: the key is not valid UTF-8"},
		{"second one bad", append(slices.Clone(good), emitRecord("public/a", "\xff", "1")...), "has a bad emission at byte 25: the key is not valid UTF-8"},
		{"long payload", emitRecord("public/a", "", `"`+strings.Repeat("a", 63)+`"`), "has a bad emission at byte 0: the payload has 65 bytes, over the limit of 64; send less, or raise [plugins] bytes_per_emission"},
		{"many", bytes.Repeat(good, 3), "has more than 2 emissions; emit less, or raise [plugins] emissions_per_event"},
		{"long block", make([]byte, 513), "has 513 bytes, over the limit of 512; emit less, or raise [plugins] bytes_per_event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := result{emissions: make([]emission, 1), stop: true}
			err := r.decode(c.block, &testLimits)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if len(r.emissions) != 0 || r.stop {
				t.Errorf("a refused block leaves %v", r)
			}
		})
	}
}

func TestResultRefusesWhatIsNotOneLineOfJSON(t *testing.T) {
	for _, payload := range []string{"", "{", "{}{}", "{\"a\":\n1}", "nope", "\"\xff\"", "{\"a\":1}\n"} {
		var r result
		err := r.decode(emitRecord("public/a", "", payload), &testLimits)
		if err == nil || !strings.HasPrefix(err.Error(), "has a bad emission at byte 0: the payload is not one line of JSON: ") {
			t.Errorf("%q: got %v", payload, err)
		}
	}
}

func TestResultSkipsUnknownRecords(t *testing.T) {
	block := tagged(99, 3, []byte("xyz"))
	block = append(block, emitRecord("public/a", "k", "[1]")...)
	block = append(block, tagged(7, 0, nil)...)
	block = append(block, stopRecord...)
	var r result
	if err := r.decode(block, &testLimits); err != nil {
		t.Fatal(err)
	}
	if len(r.emissions) != 1 || !r.stop {
		t.Fatalf("got %+v", r)
	}
	if e := r.emissions[0]; string(e.channel) != "public/a" || string(e.key) != "k" || string(e.payload) != "[1]" || e.removed {
		t.Errorf("got %+v", e)
	}
}

func FuzzResult(f *testing.F) {
	f.Add(emitRecord("public/a", "k", `{"v":1}`))
	f.Add(append(emitRecord("project/p/t", "", "null"), stopRecord...))
	f.Add(tagged(abi.TagEmit, 0xffffffff, nil))
	f.Add(tagged(99, 2, []byte("xy")))
	f.Fuzz(func(t *testing.T, block []byte) {
		before := bytes.Clone(block)
		var r result
		err := r.decode(block, &testLimits)
		if !bytes.Equal(before, block) {
			t.Fatal("the block was changed")
		}
		if err != nil {
			if len(r.emissions) != 0 || r.stop {
				t.Fatal("something is left of a refused block")
			}
			return
		}
		if len(block) > testLimits.result || len(r.emissions) > testLimits.emissions {
			t.Fatal("over the limits")
		}
		total := 0
		for _, e := range r.emissions {
			total += len(e.channel) + len(e.key) + len(e.payload) + abi.RecordHeader + abi.EmitHeader
			if len(e.channel) == 0 || len(e.channel) > maxChannelBytes || len(e.key) > maxKeyBytes ||
				len(e.payload) > testLimits.emission || !utf8.Valid(e.channel) || !utf8.Valid(e.key) || json.CheckLine(e.payload) != nil {
				t.Fatalf("admitted %q %q %q", e.channel, e.key, e.payload)
			}
		}
		if total > len(block) {
			t.Fatal("emissions overlap")
		}
	})
}
