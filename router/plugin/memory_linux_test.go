package plugin

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// An instance's memory is the system's again once it is closed, also where it
// would not start.
func TestMemoryIsGivenBack(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", saying("1"))
	f := h.current.Load().filters[0]
	failing := answering("on compute.*\n", nil, `(data (i32.const 70000) "past the end")`)
	round := func() {
		in, err := f.newInstance()
		if err != nil {
			t.Fatal(err)
		}
		in.close()
		h.install(t, "20-failing.wasm", failing)
		if s := h.Status()[1]; s.State != Refused {
			t.Fatalf("got %+v", s)
		}
	}
	round()
	before := mappedBytes(t)
	for range 50 {
		round()
	}
	if grown := mappedBytes(t) - before; grown > 10*h.cfg.MemoryBytes {
		t.Errorf("100 instances leave %d bytes mapped", grown)
	}
}

// mappedBytes is the process's address space in use.
func mappedBytes(t *testing.T) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
