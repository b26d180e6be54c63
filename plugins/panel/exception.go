package panel

import "strings"

// Exception makes a sentence for tenants of nova's ExceptionPayload, by the rule
// of nova's API (exception_to_dict in nova/compute/utils.py): the message of an
// exception of nova's own, but only the name of any other, whose message can
// tell of the cloud's inside. Legacy notifications had the rule applied already.
//
// at is the pointer to the exception, up to its members. A traceback is as long as
// the stack was deep; of one over maxList, nobody knows whose exception it is.
func Exception(e *Event, at string) string {
	class, message := e.Field(at+"exception").Text(), e.Field(at+"exception_message").Text()
	trace := e.FieldWithin(maxList, at+"traceback").Text()
	if message != "" && class != "" && (names(trace, "nova.exception.", class) || names(trace, "nova.exception_Remote.", class)) {
		return Sentence(message)
	}
	return Sentence(strings.TrimSuffix(class, "_Remote"))
}

// names reports whether a line of a traceback is about that class of that module.
func names(trace, module, class string) bool {
	for {
		i := strings.Index(trace, module)
		if i < 0 {
			return false
		}
		trace = trace[i+len(module):]
		if rest, ok := strings.CutPrefix(trace, class); ok && strings.HasPrefix(rest, ":") {
			return true
		}
	}
}
