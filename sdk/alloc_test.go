package sdk

import (
	"testing"

	"horizon-realtime/sdk/abi"
)

// steady handles an event as a stock plugin does: fields, a nested value with
// escapes, two emissions.
func steady(e *Event) {
	m := e.Object()
	m.Int("v", 1)
	m.String("event", e.Type())
	m.StringOrNull("project_id", e.Project())
	m.Float("ratio", 0.25)
	m.Raw("list", `[1,{"a":"b\u2603"}]`)
	data := m.Object("data")
	addresses := data.Array("addresses")
	for it := Parse(`[{"address":"10.0.0.1","label":"a\u00e9\n"},{"address":"::1"}]`).Items(); it.Next(); {
		a := addresses.Object()
		a.Value("address", it.Value().Member("address"))
		a.Value("label", it.Value().Member("label"))
	}
	e.Emit(Project(e.Project(), "things"), "i", m)
	data.String("host", "h")
	e.Emit(Admin("things"), "i", m)
}

// prepare writes a scratch block with two standard fields.
func prepare(e *Event) {
	at := uint32(abi.HeaderSize + abi.StandardFields*abi.EntrySize)
	for field, text := range map[int]string{abi.FieldEventType: "test.made", abi.FieldProject: "p1"} {
		entry := abi.HeaderSize + field*abi.EntrySize
		word := abi.String<<abi.LengthBits | uint32(len(text))
		for i := range 4 {
			e.scratch[entry+i] = byte(at >> (8 * i))
			e.scratch[entry+4+i] = byte(word >> (8 * i))
		}
		at += uint32(copy(e.scratch[at:], text))
	}
}

func TestHandlingAllocatesNothing(t *testing.T) {
	defer func(f Filter) { registered = f }(registered)
	registered.Handle = steady
	prepare(&current)
	if n := testing.AllocsPerRun(100, func() { handle() }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func BenchmarkHandle(b *testing.B) {
	defer func(f Filter) { registered = f }(registered)
	registered.Handle = steady
	prepare(&current)
	b.ReportAllocs()
	for b.Loop() {
		handle()
	}
}
