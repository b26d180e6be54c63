package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"horizon-realtime/sdk/sdktest"
)

// golden is one golden case of a plugin.
type golden struct {
	sdktest.Case
	plugin string
	event  string
}

// readCases reads the golden cases of all plugins.
func readCases(root string) (all []golden, err error) {
	dirs, err := filepath.Glob(filepath.Join(root, "plugins/*/testdata"))
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("there are no golden cases in %s; run it at the top of the source tree", filepath.Join(root, "plugins/*/testdata"))
	}
	for _, dir := range dirs {
		cases, err := sdktest.Cases(dir)
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			g := golden{Case: c, plugin: filepath.Base(filepath.Dir(dir))}
			var m struct {
				EventType string `json:"event_type"`
			}
			if err := json.Unmarshal(c.Notification, &m); err != nil {
				return nil, fmt.Errorf("read the golden case %s/%s: %w", dir, c.Name, err)
			}
			g.event = m.EventType
			all = append(all, g)
		}
	}
	return all, nil
}
