package guest

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

// tank is the fuel of one instance. The goroutine that calls the guest owns it;
// only drain may be called from elsewhere.
type tank struct {
	mod   api.Module
	level api.MutableGlobal
}

func newTank(mod api.Module) tank {
	return tank{mod, mod.ExportedGlobal(fuel.Global).(api.MutableGlobal)}
}

func (t *tank) fill(units int64) { t.level.Set(uint64(units)) }

// left is negative once a call has been stopped for lack of fuel.
func (t *tank) left() int64 { return int64(t.level.Get()) }

// drained reports whether drain was why the call was stopped.
func (t *tank) drained() bool { return t.left() < fuel.CutOff/2 }

// take charges for work of the host. It reports whether there was enough fuel.
func (t *tank) take(units int64) bool {
	left := t.left() - units
	t.level.Set(uint64(left))
	return left >= 0
}

// drain stops the call under way if it has less than this much fuel left. A guest
// that charges itself at this very moment may overwrite that.
func (t *tank) drain(below int64) {
	_, _ = t.mod.ExportedFunction(fuel.Cut).Call(context.Background(), uint64(max(below, 0)))
}
