package sdk

import "horizon-realtime/sdk/abi"

// Level is how much a line in the router's log matters.
type Level uint32

// The levels of Log.
const (
	Debug Level = abi.LevelDebug
	Info  Level = abi.LevelInfo
	Warn  Level = abi.LevelWarn
	Error Level = abi.LevelError
)

// Log writes a line to the router's log, which adds the plugin's name and the
// message's id, and drops what is over the operator's rate.
func Log(level Level, line string) { hostLog(uint32(level), line) }
