package panel

import (
	"strings"

	"horizon-realtime/sdk"
)

// Exception makes a sentence for tenants of nova's ExceptionPayload, by the rule
// of nova's API (exception_to_dict in nova/compute/utils.py): the message of an
// exception of nova's own, but only the name of any other, whose message can
// tell of the cloud's inside. Legacy notifications had the rule applied already.
func Exception(v sdk.Value) string {
	exception := v.Member("nova_object.data")
	class, message := exception.Member("exception").Text(), exception.Member("exception_message").Text()
	trace := exception.Member("traceback").Text()
	if message != "" && class != "" && (names(trace, "nova.exception.", class) || names(trace, "nova.exception_Remote.", class)) {
		return Sentence(message)
	}
	return Sentence(strings.TrimSuffix(class, "_Remote"))
}

// names tells whether a line of a traceback is about that class of that module.
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
