package guest

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// An instance's memory is the system's again once it is closed, also where it
// would not start.
func TestMemoryIsGivenBack(t *testing.T) {
	good := compile(t, guesttest.Assemble(t, guesttest.Saying("1")))
	failing := compile(t, guesttest.Assemble(t, guesttest.Answering("on compute.*\n", nil, `(data (i32.const 70000) "past the end")`)))
	env, _ := testEnv("a")
	round := func() {
		in, err := good.Start(env)
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		if _, err := failing.Start(env); err == nil {
			t.Fatal("it started")
		}
	}
	round()
	before := mappedBytes(t)
	for range 50 {
		round()
	}
	if grown := mappedBytes(t) - before; grown > 10*testLimits().MemoryBytes {
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
