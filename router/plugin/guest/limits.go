package guest

import "time"

const (
	pageBytes = 64 << 10
	// MinMemoryBytes and MaxMemoryBytes are the range of Limits.MemoryBytes:
	// one page, and what 32-bit pointers reach, less one page.
	MinMemoryBytes = pageBytes
	MaxMemoryBytes = 4<<30 - pageBytes
)

// Limits bound what a module may be and what its instances may use.
type Limits struct {
	// ModuleBytes bounds the module itself.
	ModuleBytes int
	// Fuel bounds the work of one call, InitFuel that of a start.
	Fuel, InitFuel int64
	// MemoryBytes bounds an instance's memory. Only whole pages of 64 KiB count.
	MemoryBytes int64
	// Emissions bounds how many emissions one call may return, EmissionBytes the
	// payload of each, ResultBytes all that the call returns.
	Emissions, EmissionBytes, ResultBytes int
	// HostCalls bounds how often one call may call the host.
	HostCalls int
	// StartTimeout is how long a start may take, CallTimeout how long a call.
	StartTimeout, CallTimeout time.Duration
}

// Memory is how many bytes an instance's memory can have.
func (l *Limits) Memory() int64 { return int64(l.pages()) * pageBytes }

func (l *Limits) pages() uint32 { return uint32(l.MemoryBytes / pageBytes) }
