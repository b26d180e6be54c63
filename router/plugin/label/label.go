// Package label reads and writes the name and the version that a module carries.
//
// In: a module's bytes. Out: its Label, or the same module with another one. The
// label is in the custom section abi.Label, which `plugin build` and `plugin label`
// write. Package plugin holds a module to it: a file's name alone says nothing of what
// is in it. A signature is over Label.Signed.
package label

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"horizon-realtime/sdk/abi"
)

const (
	maxName = 64
	// A version is at most so many numbers of at most so many digits.
	maxNumbers, maxDigits = 4, 9
)

// Label is what a module says it is. Its zero value stands for none.
type Label struct{ Name, Version string }

// Check makes sure that a label can be written.
//
// # Errors
//
// What a name or a version looks like.
func (l Label) Check() error {
	if len(l.Name) < 1 || len(l.Name) > maxName || strings.Trim(l.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("the name %.100q is no plugin's; use 1 to %d characters of a-z 0-9 _ -", l.Name, maxName)
	}
	if _, err := numbers(l.Version); err != nil {
		return fmt.Errorf("the version %.100q is none; use 1 to %d numbers with dots between them, such as 1.2.0", l.Version, maxNumbers)
	}
	return nil
}

// numbers takes a version apart. A number has one spelling only.
func numbers(version string) ([]int, error) {
	fields := strings.Split(version, ".")
	if len(fields) > maxNumbers {
		return nil, errors.New("too many numbers")
	}
	all := make([]int, len(fields))
	for i, field := range fields {
		n, err := strconv.Atoi(field)
		if err != nil || len(field) > maxDigits || strconv.Itoa(n) != field || n < 0 {
			return nil, errors.New("no number")
		}
		all[i] = n
	}
	return all, nil
}

// Older reports whether version a is older than b. Numbers that are missing are 0;
// a version that is none is older than all others.
func Older(a, b string) bool {
	from, errA := numbers(a)
	to, errB := numbers(b)
	if errA != nil || errB != nil {
		return errA != nil && errB == nil
	}
	for len(from) < maxNumbers {
		from = append(from, 0)
	}
	for len(to) < maxNumbers {
		to = append(to, 0)
	}
	return slices.Compare(from, to) < 0
}

// Signed is what a signature of the module is over: its name, its version, and all of
// its bytes.
func (l Label) Signed(module []byte) []byte {
	return append(fmt.Appendf(nil, "horizon-realtime plugin\n%s\n%s\n", l.Name, l.Version), module...)
}

// Of returns a module's label, the zero value if it has none.
//
// # Errors
//
// There are two, or it is not written as the ABI says.
func Of(module []byte) (l Label, err error) {
	found := false
	for _, s := range sections(module) {
		text, ok := s.label()
		if !ok {
			continue
		}
		if found {
			return Label{}, fmt.Errorf("it has two custom sections %q; build it again", abi.Label)
		}
		found = true
		l.Name, l.Version, _ = strings.Cut(text, " ")
		if err := l.Check(); err != nil {
			return Label{}, fmt.Errorf("its custom section %q: %w; build it again", abi.Label, err)
		}
	}
	return l, nil
}

// Put returns the module with that label in place of its own, if it has one.
func Put(module []byte, l Label) []byte {
	out := make([]byte, 0, len(module)+maxName*2)
	from := 0
	for _, s := range sections(module) {
		if _, ok := s.label(); ok {
			out = append(out, module[from:s.start]...)
			from = s.end
		}
	}
	out = append(out, module[from:]...)
	content := append(binary.AppendUvarint(nil, uint64(len(abi.Label))), abi.Label+l.Name+" "+l.Version...)
	out = append(out, 0)
	return append(binary.AppendUvarint(out, uint64(len(content))), content...)
}

// section is one of a module's, which begins and ends there.
type section struct {
	start, end int
	id         byte
	content    []byte
}

// sections are those of a module, as far as it can be read.
func sections(module []byte) (all []section) {
	const header = 8
	if !bytes.HasPrefix(module, []byte("\x00asm")) {
		return nil
	}
	for at := header; at < len(module); {
		size, n := binary.Uvarint(module[at+1:])
		from := at + 1 + n
		if n <= 0 || size > uint64(len(module)-from) {
			return all
		}
		end := from + int(size)
		all = append(all, section{at, end, module[at], module[from:end]})
		at = end
	}
	return all
}

// label is the text of the section if it is a label.
func (s *section) label() (string, bool) {
	if s.id != 0 {
		return "", false
	}
	size, n := binary.Uvarint(s.content)
	if n <= 0 || size != uint64(len(abi.Label)) {
		return "", false
	}
	text, ok := bytes.CutPrefix(s.content[n:], []byte(abi.Label))
	return string(text), ok
}
