package guest

import (
	"log/slog"
	"time"

	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// maxPaths bounds the parsed pointers that an instance keeps for `field`.
const maxPaths = 64

// hostFunctions is the import module `hr`.
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

func hostSubscribe(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	if c.n != nil || c.ready {
		panic(Faultf(BadCall, "%s called subscribe, which is for %s", c.doing, abi.Init))
	}
	if uint32(stack[1]) > maxSubscriptionBytes {
		panic(Faultf(BadCall, "its subscription has %d bytes, over the limit of %d", uint32(stack[1]), maxSubscriptionBytes))
	}
	c.spend(pointerFuel * int64(uint32(stack[1])))
	text := c.at(mem, abi.ImportSubscribe, stack[0], stack[1])
	if err := c.sub.declare(string(text)); err != nil {
		panic(Faultf(BadCall, "its subscription is wrong: %s; its lines are \"on <event type>\" and \"want <JSON Pointer>\"", err))
	}
}

func hostConfig(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	stack[0] = c.fill(mem, abi.ImportConfig, stack[0], stack[1], c.env.Config)
}

func hostLog(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	level := slog.LevelError
	switch uint32(stack[0]) {
	case abi.LevelDebug:
		level = slog.LevelDebug
	case abi.LevelInfo:
		level = slog.LevelInfo
	case abi.LevelWarn:
		level = slog.LevelWarn
	}
	text := c.at(mem, abi.ImportLog, stack[1], stack[2])
	text = text[:min(len(text), maxLogLine)]
	c.spend(lineFuel + int64(len(text)/bytesPerFuel))
	c.env.Log.write(level, text, c.messageID())
	if level == slog.LevelError {
		c.say(text)
	}
}

func hostField(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	n := c.notification(abi.ImportField)
	p := c.pointer(c.view(mem, abi.ImportField, stack[0], stack[1]))
	c.spend(stepFuel*int64(p.Segments()) + elementFuel*int64(min(p.Elements(), n.Root().Nodes())))
	v := n.Get(p)
	nodes := nodeFuel * int64(v.Nodes())
	c.spend(nodes)
	size := v.Size()
	if size <= int(uint32(stack[3])) {
		c.spend(2*nodes + decodingFuel(v, size))
		buf := c.at(mem, abi.ImportField, stack[2], uint64(size))
		size = len(v.AppendTo(buf[:0:size]))
	}
	stack[0] = uint64(fieldWord(uint32(v.Kind()), size))
}

// decodingFuel is what it costs to write a value of that size: a string with
// escapes is decoded byte by byte.
func decodingFuel(v json.Value, size int) int64 {
	if _, plain := v.Plain(); !plain && v.Kind() == json.String {
		return 2 * int64(size)
	}
	return int64(size / bytesPerFuel)
}

// pointer parses a JSON Pointer, and remembers it for later calls.
func (c *call) pointer(path []byte) json.Pointer {
	if p, ok := c.paths[string(path)]; ok {
		return p
	}
	c.spend(pointerFuel * int64(len(path)))
	p, err := json.ParsePointer(string(path))
	if err != nil {
		panic(Faultf(BadCall, "%s called %s with a %s", c.doing, abi.ImportField, err))
	}
	if len(c.paths) == maxPaths || c.paths == nil {
		c.paths = make(map[string]json.Pointer)
	}
	c.paths[string(path)] = p
	return p
}

func hostRaw(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	stack[0] = c.fill(mem, abi.ImportRaw, stack[0], stack[1], c.notification(abi.ImportRaw).Raw())
}

// key returns the key of a kv call.
func (c *call) key(mem api.Memory, function string, pointer, n uint64) []byte {
	if uint32(n) > maxKVKey {
		panic(Faultf(BadCall, "%s called %s with a key of %d bytes, over the limit of %d", c.doing, function, uint32(n), maxKVKey))
	}
	return c.view(mem, function, pointer, n)
}

func hostKVGet(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	now := c.notification(abi.ImportKVGet).At
	key := c.key(mem, abi.ImportKVGet, stack[0], stack[1])
	buf := c.at(mem, abi.ImportKVGet, stack[2], min(uint64(uint32(stack[3])), maxKVValue))
	version, length := c.env.Store.Get(c.owner, key, buf, now)
	c.spend(int64(min(length, len(buf)) / bytesPerFuel))
	stack[0] = uint64(version)<<32 | uint64(length)
}

func hostKVSet(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	now := c.notification(abi.ImportKVSet).At
	key := c.key(mem, abi.ImportKVSet, stack[0], stack[1])
	if uint32(stack[3]) > maxKVValue {
		panic(Faultf(BadCall, "%s called %s with a value of %d bytes, over the limit of %d", c.doing, abi.ImportKVSet, uint32(stack[3]), maxKVValue))
	}
	c.spend(entryFuel + int64(uint32(stack[3])/keptPerFuel))
	value := c.at(mem, abi.ImportKVSet, stack[2], stack[3])
	ttl := time.Duration(uint32(stack[4])) * time.Second
	c.wrote = true
	stack[0] = flag(c.env.Store.Set(c.owner, key, value, ttl, uint32(stack[5]), now))
}

func hostKVDelete(c *call, mem api.Memory, stack []uint64) {
	c.enter()
	now := c.notification(abi.ImportKVDelete).At
	c.spend(entryFuel)
	key := c.key(mem, abi.ImportKVDelete, stack[0], stack[1])
	c.wrote = true
	stack[0] = flag(c.env.Store.Delete(c.owner, key, now))
}

func hostNow(c *call, _ api.Memory, stack []uint64) {
	c.enter()
	stack[0] = uint64(c.notification(abi.ImportNow).At.UnixNano())
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
