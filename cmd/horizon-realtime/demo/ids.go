package demo

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// newHex draws n bytes, written as 2n hexadecimal digits.
func newHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: the standard library ends the program instead
	return hex.EncodeToString(b)
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newRequestID() string { return "req-" + newUUID() }

// newReservationID draws an id as nova spells those of a boot request.
func newReservationID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var b [8]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "r-" + string(b[:])
}

func newMAC() string {
	var b [3]byte
	rand.Read(b[:])
	return fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", b[0], b[1], b[2])
}
