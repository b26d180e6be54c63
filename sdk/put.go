package sdk

import "unsafe"

// putText copies s to where to is, for which there is room and seven bytes more,
// and gives where it ends and the special bits of its bytes. It is run for every
// string that an event's answer is made of.
func putText(to unsafe.Pointer, s string) (end unsafe.Pointer, bad uint64) {
	n := len(s)
	end = unsafe.Add(to, n)
	if n < 8 {
		if n == 0 {
			return end, 0
		}
		w := short(s)
		put64(to, w)
		return end, special(w | ones*' '<<(8*n&63))
	}
	for i := 0; i < n-8; i += 8 {
		w := load64(s, i)
		put64(unsafe.Add(to, i), w)
		bad |= special(w)
	}
	w := load64(s, n-8) // some of it again
	put64(unsafe.Add(to, n-8), w)
	return end, bad | special(w)
}

// putName is putText for a member's name, which also gives two bits that stand for
// it.
func putName(to unsafe.Pointer, s string) (end unsafe.Pointer, bad, bits uint64) {
	n := len(s)
	end = unsafe.Add(to, n)
	if n < 8 {
		if n == 0 {
			return end, 0, mark(0)
		}
		w := short(s)
		put64(to, w)
		return end, special(w | ones*' '<<(8*n&63)), mark(w)
	}
	for i := 0; i < n-8; i += 8 {
		w := load64(s, i)
		put64(unsafe.Add(to, i), w)
		bad |= special(w)
	}
	w := load64(s, n-8) // some of it again
	put64(unsafe.Add(to, n-8), w)
	return end, bad | special(w), mark(w)
}

// mark makes two bits of the end of a name.
func mark(w uint64) uint64 {
	w *= 0x9e3779b97f4a7c15
	return 1<<(w>>58) | 1<<(w>>52&63)
}
