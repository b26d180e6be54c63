package main

import (
	"fmt"
)

// loadedPlugins measures a notification that one plugin asked for while others
// are loaded that asked for something else.
func loadedPlugins() ([]result, error) {
	_, n, err := instanceUpdate()
	if err != nil {
		return nil, err
	}
	route, err := buildGuest("route")
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for _, total := range []int{1, 10, 100} {
		files := map[string][]byte{"50-route.wasm": route}
		for i := 1; i < total; i++ {
			files[fmt.Sprintf("%02d-other-%d.wasm", i, i)] = silentModule(fmt.Sprintf("volume.kind%d.*", i))
		}
		host, worker, err := loadPlugins(files)
		if err != nil {
			return nil, err
		}
		defer host.Close()
		defer worker.Close()
		contenders = append(contenders, contender{fmt.Sprint(total), func() error { return worker.once(n, 1) }})
	}
	figures, err := compare(contenders)
	if err != nil {
		return nil, err
	}
	var results []result
	for _, c := range contenders[1:] {
		name := fmt.Sprintf("a notification that 1 of %s loaded plugins asked for (goal 1)", c.name)
		results = append(results, row(name, "ns", figures[c.name], figures["1"], "only that plugin loaded"))
	}
	return results, nil
}
