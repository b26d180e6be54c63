package plugin

import (
	"log/slog"
	"time"

	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

const (
	anyVersion = abi.KVAnyVersion

	// hostCallFuel is what a call of the host costs beside the bytes it moves,
	// of which bytesPerFuel cost one unit.
	hostCallFuel = 50
	bytesPerFuel = 8

	// maxPaths bounds the parsed pointers that an instance keeps for `field`.
	maxPaths = 64
)

// hostFunc is one function that a module may import. It reads its arguments
// from the stack and leaves its result in stack[0].
type hostFunc struct {
	params, results string
	call            func(in *instance, mem api.Memory, stack []uint64)
}

// hostFunctions is import module `hr`; the types are spelled one letter a
// value, i for i32 and I for i64.
var hostFunctions = map[string]hostFunc{
	abi.ImportSubscribe: {"ii", "", hostSubscribe},
	abi.ImportConfig:    {"ii", "i", hostConfig},
	abi.ImportLog:       {"iii", "", hostLog},
	abi.ImportField:     {"iiii", "i", hostField},
	abi.ImportRaw:       {"ii", "i", hostRaw},
	abi.ImportKVGet:     {"iiii", "I", hostKVGet},
	abi.ImportKVSet:     {"iiiiii", "i", hostKVSet},
	abi.ImportKVDelete:  {"ii", "i", hostKVDelete},
	abi.ImportNow:       {"", "I", hostNow},
}

// enter charges for one call of the host. Over the budget it ends the guest's
// call, by a panic that the engine turns into an error. Every function of the host
// begins with it: the guest's code does not look at its fuel after such a call.
func (in *instance) enter() {
	in.hostCalls++
	if in.hostCalls > in.limits.hostCalls {
		panic(faultf(faultBudget, "%s called the host more than %d times; call it less, or raise [plugins] host_calls_per_event", in.doing, in.limits.hostCalls))
	}
	in.spend(hostCallFuel)
}

// view gives n bytes of guest memory, and charges for them.
func (in *instance) view(mem api.Memory, call string, pointer, n uint64) []byte {
	if uint32(n) == 0 {
		return nil
	}
	in.spend(int64(uint32(n) / bytesPerFuel))
	b, ok := mem.Read(uint32(pointer), uint32(n))
	if !ok {
		panic(faultf(faultCall, "%s passed %s a pointer past the end of its memory", in.doing, call))
	}
	return b
}

// fill copies text into the guest's buffer if it fits, and tells its length.
func (in *instance) fill(mem api.Memory, call string, pointer, limit uint64, text []byte) uint64 {
	if len(text) <= int(uint32(limit)) {
		copy(in.view(mem, call, pointer, uint64(len(text))), text)
	}
	return uint64(len(text))
}

// notification gives the one under way.
func (in *instance) notification(call string) *event.Notification {
	if in.n == nil {
		panic(faultf(faultCall, "%s called %s, which is for %s", in.doing, call, abi.Event))
	}
	return in.n
}

func hostSubscribe(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	if in.n != nil || in.ready {
		panic(faultf(faultCall, "%s called subscribe, which is for %s", in.doing, abi.Init))
	}
	if uint32(stack[1]) > maxSubscriptionBytes {
		panic(faultf(faultCall, "its subscription has %d bytes, over the limit of %d", uint32(stack[1]), maxSubscriptionBytes))
	}
	text := in.view(mem, abi.ImportSubscribe, stack[0], stack[1])
	if err := in.sub.declare(string(text)); err != nil {
		panic(faultf(faultCall, "its subscription is wrong: %s; its lines are \"on <event type>\" and \"want <JSON Pointer>\"", err))
	}
}

func hostConfig(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	stack[0] = in.fill(mem, abi.ImportConfig, stack[0], stack[1], in.filter.config)
}

func hostLog(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	level := slog.LevelError
	switch uint32(stack[0]) {
	case abi.LevelDebug:
		level = slog.LevelDebug
	case abi.LevelInfo:
		level = slog.LevelInfo
	case abi.LevelWarn:
		level = slog.LevelWarn
	}
	text := in.view(mem, abi.ImportLog, stack[1], stack[2])
	in.filter.record.log.write(level, text, in.messageID())
	if level == slog.LevelError {
		in.say(text)
	}
}

func hostField(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	n := in.notification(abi.ImportField)
	v := n.Get(in.pointer(in.view(mem, abi.ImportField, stack[0], stack[1])))
	size := v.Size()
	if size <= int(uint32(stack[3])) {
		buf := in.view(mem, abi.ImportField, stack[2], uint64(size))
		size = len(v.AppendTo(buf[:0:size]))
	}
	stack[0] = uint64(fieldWord(uint32(v.Kind()), size))
}

// pointer parses a JSON Pointer once, for all later calls with the same.
func (in *instance) pointer(path []byte) json.Pointer {
	if p, ok := in.paths[string(path)]; ok {
		return p
	}
	p, err := json.ParsePointer(string(path))
	if err != nil {
		panic(faultf(faultCall, "%s called %s with a %s", in.doing, abi.ImportField, err))
	}
	if len(in.paths) == maxPaths || in.paths == nil {
		in.paths = make(map[string]json.Pointer)
	}
	in.paths[string(path)] = p
	return p
}

func hostRaw(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	stack[0] = in.fill(mem, abi.ImportRaw, stack[0], stack[1], in.notification(abi.ImportRaw).Raw())
}

// key gives the key of a kv call.
func (in *instance) key(mem api.Memory, call string, pointer, n uint64) []byte {
	if uint32(n) > maxKVKey {
		panic(faultf(faultCall, "%s called %s with a key of %d bytes, over the limit of %d", in.doing, call, uint32(n), maxKVKey))
	}
	return in.view(mem, call, pointer, n)
}

func hostKVGet(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	now := in.notification(abi.ImportKVGet).At
	key := in.key(mem, abi.ImportKVGet, stack[0], stack[1])
	buf := in.view(mem, abi.ImportKVGet, stack[2], min(uint64(uint32(stack[3])), maxKVValue))
	version, length := in.filter.record.store.get(key, buf, now)
	stack[0] = uint64(version)<<32 | uint64(length)
}

func hostKVSet(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	now := in.notification(abi.ImportKVSet).At
	key := in.key(mem, abi.ImportKVSet, stack[0], stack[1])
	if uint32(stack[3]) > maxKVValue {
		panic(faultf(faultCall, "%s called %s with a value of %d bytes, over the limit of %d", in.doing, abi.ImportKVSet, uint32(stack[3]), maxKVValue))
	}
	value := in.view(mem, abi.ImportKVSet, stack[2], stack[3])
	ttl := time.Duration(uint32(stack[4])) * time.Second
	in.wrote = true
	stack[0] = flag(in.filter.record.store.set(key, value, ttl, uint32(stack[5]), now))
}

func hostKVDelete(in *instance, mem api.Memory, stack []uint64) {
	in.enter()
	now := in.notification(abi.ImportKVDelete).At
	key := in.key(mem, abi.ImportKVDelete, stack[0], stack[1])
	in.wrote = true
	stack[0] = flag(in.filter.record.store.delete(key, now))
}

func hostNow(in *instance, _ api.Memory, stack []uint64) {
	in.enter()
	stack[0] = uint64(in.notification(abi.ImportNow).At.UnixNano())
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
