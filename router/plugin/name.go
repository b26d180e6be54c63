package plugin

import (
	"fmt"
	"strings"
)

const maxName = 64

// pluginName is the plugin's name by its file's: `50-nova.wasm` is nova.
func pluginName(fileName string) string {
	name := strings.TrimSuffix(fileName, ".wasm")
	order, rest, found := strings.Cut(name, "-")
	if found && order != "" && strings.Trim(order, "0123456789") == "" {
		return rest
	}
	return name
}

func validName(name string) bool {
	return len(name) >= 1 && len(name) <= maxName &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// Brief names the first of a plugin's patterns, for a line that people read.
func Brief(patterns []string) string {
	const few = 4
	if len(patterns) <= few {
		return strings.Join(patterns, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(patterns[:few], " "), len(patterns)-few)
}
