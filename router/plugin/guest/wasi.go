package guest

import (
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"
)

// wasiModule is the import module of WASI, preview 1.
const wasiModule = "wasi_snapshot_preview1"

// Error numbers of WASI.
const (
	errnoSuccess = 0
	errnoBadFD   = 8
	errnoInvalid = 28
	errnoNoCap   = 76
)

const (
	// maxSleep bounds how far one sleep moves the clock: an hour.
	maxSleep = 3600e9
	// maxWASIList bounds how many buffers or subscriptions one call may pass.
	maxWASIList = 256
	// maxRandom is how many bytes are made between two looks at the fuel.
	maxRandom = 16 << 10
)

// wasiFunctions is the part of WASI that a guest may import: a clock that shows
// the notification's time, randomness that is the same in every run, and stdout
// and stderr, which go to the log. Everything about files, sockets and the
// environment is there because toolchains import it by themselves, and is denied.
var wasiFunctions = map[string]hostFunc{
	"args_get":            {"ii", "i", wasiNothing},
	"args_sizes_get":      {"ii", "i", wasiNoSizes},
	"environ_get":         {"ii", "i", wasiNothing},
	"environ_sizes_get":   {"ii", "i", wasiNoSizes},
	"clock_res_get":       {"ii", "i", wasiClockResolution},
	"clock_time_get":      {"iIi", "i", wasiClockTime},
	"random_get":          {"ii", "i", wasiRandom},
	"sched_yield":         {"", "i", wasiNothing},
	"proc_exit":           {"i", "", wasiExit},
	"poll_oneoff":         {"iiii", "i", wasiPoll},
	"fd_write":            {"iiii", "i", wasiWrite},
	"fd_fdstat_get":       {"ii", "i", wasiFDStat},
	"fd_prestat_get":      {"ii", "i", wasiBadFD},
	"fd_prestat_dir_name": {"iii", "i", wasiBadFD},
	"fd_close":            {"i", "i", wasiBadFD},
	"fd_read":             {"iiii", "i", wasiBadFD},
	"fd_seek":             {"iIii", "i", wasiBadFD},
	"fd_tell":             {"ii", "i", wasiBadFD},

	"fd_advise":               {"iIIi", "i", wasiDenied},
	"fd_allocate":             {"iII", "i", wasiDenied},
	"fd_datasync":             {"i", "i", wasiDenied},
	"fd_fdstat_set_flags":     {"ii", "i", wasiDenied},
	"fd_fdstat_set_rights":    {"iII", "i", wasiDenied},
	"fd_filestat_get":         {"ii", "i", wasiDenied},
	"fd_filestat_set_size":    {"iI", "i", wasiDenied},
	"fd_filestat_set_times":   {"iIIi", "i", wasiDenied},
	"fd_pread":                {"iiiIi", "i", wasiDenied},
	"fd_pwrite":               {"iiiIi", "i", wasiDenied},
	"fd_readdir":              {"iiiIi", "i", wasiDenied},
	"fd_renumber":             {"ii", "i", wasiDenied},
	"fd_sync":                 {"i", "i", wasiDenied},
	"path_create_directory":   {"iii", "i", wasiDenied},
	"path_filestat_get":       {"iiiii", "i", wasiDenied},
	"path_filestat_set_times": {"iiiiIIi", "i", wasiDenied},
	"path_link":               {"iiiiiii", "i", wasiDenied},
	"path_open":               {"iiiiiIIii", "i", wasiDenied},
	"path_readlink":           {"iiiiii", "i", wasiDenied},
	"path_remove_directory":   {"iii", "i", wasiDenied},
	"path_rename":             {"iiiiii", "i", wasiDenied},
	"path_symlink":            {"iiiii", "i", wasiDenied},
	"path_unlink_file":        {"iii", "i", wasiDenied},
	"sock_accept":             {"iii", "i", wasiDenied},
	"sock_recv":               {"iiiiii", "i", wasiDenied},
	"sock_send":               {"iiiii", "i", wasiDenied},
	"sock_shutdown":           {"ii", "i", wasiDenied},
}

func wasiNothing(c *call, _ api.Memory, stack []uint64) {
	c.enter()
	stack[0] = errnoSuccess
}

func wasiBadFD(c *call, _ api.Memory, stack []uint64) {
	c.enter()
	stack[0] = errnoBadFD
}

func wasiDenied(c *call, _ api.Memory, stack []uint64) {
	c.enter()
	stack[0] = errnoNoCap
}

// wasiNoSizes reports that there are no arguments, or no environment.
func wasiNoSizes(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	c.putUint32(mem, "args_sizes_get", stack[0], 0)
	c.putUint32(mem, "args_sizes_get", stack[1], 0)
	stack[0] = errnoSuccess
}

func wasiClockResolution(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	c.putUint64(mem, "clock_res_get", stack[1], clockTick)
	stack[0] = errnoSuccess
}

// wasiClockTime returns the notification's time plus what has passed for the
// instance since the call began. Clocks other than the real-time one count from
// the instance's start and never go back.
func wasiClockTime(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	c.clock.monotonic += clockTick
	t := uint64(c.clock.monotonic)
	if uint32(stack[0]) == 0 {
		t = uint64(c.clock.wall())
	}
	c.putUint64(mem, "clock_time_get", stack[2], t)
	stack[0] = errnoSuccess
}

// wasiRandom returns bytes that depend only on the plugin's name and on how many
// were returned before.
func wasiRandom(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	buf := c.at(mem, "random_get", stack[0], stack[1])
	for len(buf) > 0 {
		part := buf[:min(len(buf), maxRandom)]
		c.spend(int64(len(part)))
		_, _ = c.random.Read(part)
		buf = buf[len(part):]
	}
	stack[0] = errnoSuccess
}

func wasiExit(c *call, _ api.Memory, stack []uint64) {
	panic(Faultf(Exit, "%s ended the module with exit code %d", c.doing, int32(stack[0])))
}

// wasiWrite passes stdout and stderr on to the log.
func wasiWrite(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	fd, list, n := uint32(stack[0]), stack[1], uint64(uint32(stack[2]))
	if fd != 1 && fd != 2 {
		stack[0] = errnoBadFD
		return
	}
	if n > maxWASIList {
		stack[0] = errnoInvalid
		return
	}
	written := uint32(0)
	c.spend(vectorFuel * int64(n))
	vectors := c.at(mem, "fd_write", list, n*8)
	for i := uint64(0); i < n; i++ {
		pointer := binary.LittleEndian.Uint32(vectors[i*8:])
		length := binary.LittleEndian.Uint32(vectors[i*8+4:])
		c.write(&c.output[fd-1], c.view(mem, "fd_write", uint64(pointer), uint64(length)))
		written += length
	}
	c.putUint32(mem, "fd_write", stack[3], written)
	stack[0] = errnoSuccess
}

// write passes on what the guest says, and charges for each line before it is
// logged.
func (c *call) write(to *lineBuffer, text []byte) {
	for len(text) > 0 {
		n, whole := to.take(text)
		if whole {
			c.spend(lineFuel)
			to.flush()
		}
		text = text[n:]
	}
}

// wasiFDStat describes stdin, stdout and stderr as terminals without rights.
func wasiFDStat(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	if uint32(stack[0]) > 2 {
		stack[0] = errnoBadFD
		return
	}
	const characterDevice = 2
	stat := c.view(mem, "fd_fdstat_get", stack[1], 24)
	clear(stat)
	stat[0] = characterDevice
	stack[0] = errnoSuccess
}

// Layout of a subscription and an event of poll_oneoff.
const (
	pollSubscription = 48
	pollEvent        = 32
	pollClock        = 0
	pollAbsolute     = 1
)

// wasiPoll never waits. A sleep moves the instance's clock instead, so it ends at
// once and takes the same time in every run; waiting for a file is refused.
func wasiPoll(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	n := uint64(uint32(stack[2]))
	if n == 0 || n > maxWASIList {
		stack[0] = errnoInvalid
		return
	}
	subscriptions := c.view(mem, "poll_oneoff", stack[0], n*pollSubscription)
	events := c.view(mem, "poll_oneoff", stack[1], n*pollEvent)
	earliest, first := int64(math.MaxInt64), -1
	count := 0
	for i := range int(n) {
		s := subscriptions[i*pollSubscription:][:pollSubscription]
		if s[8] == pollClock {
			if wait := c.sleepTime(s); wait < earliest {
				earliest, first = wait, i
			}
			continue
		}
		putPollEvent(events[count*pollEvent:], s, errnoBadFD)
		count++
	}
	if count == 0 {
		c.clock.monotonic += earliest
		putPollEvent(events, subscriptions[first*pollSubscription:], errnoSuccess)
		count = 1
	}
	c.putUint32(mem, "poll_oneoff", stack[3], uint32(count))
	stack[0] = errnoSuccess
}

// sleepTime is how long a clock subscription waits, in nanoseconds.
func (c *call) sleepTime(s []byte) int64 {
	wait := binary.LittleEndian.Uint64(s[24:])
	if binary.LittleEndian.Uint16(s[40:])&pollAbsolute != 0 {
		now := uint64(c.clock.monotonic)
		if binary.LittleEndian.Uint32(s[16:]) == 0 {
			now = uint64(c.clock.wall())
		}
		wait -= min(wait, now)
	}
	return int64(min(wait, maxSleep))
}

func putPollEvent(event, subscription []byte, errno uint16) {
	event = event[:pollEvent]
	kind := subscription[8]
	copy(event[:8], subscription[:8])
	clear(event[8:])
	binary.LittleEndian.PutUint16(event[8:], errno)
	event[10] = kind
}

func (c *call) putUint32(mem api.Memory, function string, pointer uint64, v uint32) {
	binary.LittleEndian.PutUint32(c.view(mem, function, pointer, 4), v)
}

func (c *call) putUint64(mem api.Memory, function string, pointer, v uint64) {
	binary.LittleEndian.PutUint64(c.view(mem, function, pointer, 8), v)
}
