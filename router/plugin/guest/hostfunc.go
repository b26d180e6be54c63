package guest

import "github.com/tetratelabs/wazero/api"

// hostFunc is one function that a module may import. It reads its arguments
// from the stack and leaves its result in stack[0]. The types are spelled one
// letter per value: i for i32 and I for i64.
type hostFunc struct {
	params, results string
	call            func(c *call, mem api.Memory, stack []uint64)
}

// signature spells the type as the text format does.
func (f hostFunc) signature() string {
	s := "("
	for i, t := range valueTypes(f.params) {
		if i > 0 {
			s += ", "
		}
		s += api.ValueTypeName(t)
	}
	s += ")"
	for _, t := range valueTypes(f.results) {
		s += " -> " + api.ValueTypeName(t)
	}
	return s
}

func valueTypes(letters string) []api.ValueType {
	types := make([]api.ValueType, len(letters))
	for i := range letters {
		types[i] = api.ValueTypeI32
		if letters[i] == 'I' {
			types[i] = api.ValueTypeI64
		}
	}
	return types
}
