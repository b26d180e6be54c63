package guest

import (
	"fmt"
	"strings"
)

// Kind is what a call died of.
type Kind string

// The kinds of faults.
const (
	// Trap: the module trapped (unreachable, a bad access, a full stack).
	Trap Kind = "trap"
	// Fuel: a call was cut off because it worked too much.
	Fuel Kind = "fuel"
	// Exit: the module ended itself, as Go does when it panics.
	Exit Kind = "exit"
	// BadResult: what it returned is not what the ABI says.
	BadResult Kind = "result"
	// Budget: it called the host too often.
	Budget Kind = "budget"
	// Time: a call took too long.
	Time Kind = "time"
	// BadCall: it called a host function wrongly.
	BadCall Kind = "call"
	// BadStart: it would not start.
	BadStart Kind = "start"
)

// Kinds are all of them.
var Kinds = []Kind{Trap, Fuel, Exit, BadResult, Budget, Time, BadCall, BadStart}

// Fault is what a guest did wrong. The instance that did must be closed.
type Fault struct {
	Kind Kind
	// Text is a sentence that completes "plugin 50-nova.wasm: ", with the way
	// out.
	Text string
}

func (f *Fault) Error() string { return f.Text }

// Faultf makes a fault.
func Faultf(kind Kind, format string, args ...any) *Fault {
	return &Fault{kind, fmt.Sprintf(format, args...)}
}

// firstLine cuts the engine's stack trace off.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, " (recovered by wazero)")
}
