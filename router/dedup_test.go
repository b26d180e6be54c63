package router

import (
	"testing"
)

func TestWindowRemembersTheLast(t *testing.T) {
	w := newDedupWindow(3)
	for _, id := range []uint64{1, 2, 3} {
		if w.add(id) {
			t.Errorf("%d: seen at once", id)
		}
	}
	if !w.add(1) || !w.add(3) {
		t.Error("1 and 3 are forgotten too early")
	}
	if w.add(4) || w.add(1) {
		t.Error("4 is new, and 1 had to go for it")
	}
	if !w.add(3) || len(w.set) != 3 {
		t.Errorf("the window holds %v", w.set)
	}
}

func TestWindowOfNothing(t *testing.T) {
	w := newDedupWindow(0)
	for range 2 {
		if w.add(1) {
			t.Error("a window of size 0 remembers")
		}
	}
}

func TestWindowAllocatesNothing(t *testing.T) {
	w := newDedupWindow(1024)
	id := uint64(0)
	for range 4096 {
		id++
		w.add(id)
	}
	if n := testing.AllocsPerRun(10_000, func() { id++; w.add(id) }); n > 0 {
		t.Errorf("%v allocations for a message id", n)
	}
}
