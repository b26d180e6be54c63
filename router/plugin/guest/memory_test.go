package guest

import (
	"slices"
	"testing"
)

func TestMemoryGrowsInPlaceAndIsZero(t *testing.T) {
	for _, way := range []string{"reserved", "heap"} {
		t.Run(way, func(t *testing.T) {
			m := linearMemory{limit: 8 * pageBytes}
			if way == "reserved" {
				m.Allocate(0, 16*pageBytes)
				if m.reserved == nil {
					t.Fatal("the system reserves nothing")
				}
			}
			a := m.Reallocate(pageBytes)
			a[0], a[pageBytes-1] = 1, 2
			b := m.Reallocate(3 * pageBytes)
			if len(b) != 3*pageBytes || b[0] != 1 || b[pageBytes-1] != 2 || slices.Max(b[pageBytes:]) != 0 {
				t.Error("what grew is not what was there and zeros behind it")
			}
			if moved := &a[0] != &b[0]; way == "reserved" && moved {
				t.Error("it moved")
			}
			if m.Reallocate(9*pageBytes) != nil {
				t.Error("it grew over its limit")
			}
			m.Free()
			m.Free()
			if m.reserved != nil || m.heap != nil {
				t.Error("something is left")
			}
		})
	}
}
