// Command stock is the stock set: a bundle of the plugins in the folders beside
// it, in the order in which they are called.
package main

import (
	_ "horizon-realtime/plugins/audit"
	_ "horizon-realtime/plugins/baremetal"
	_ "horizon-realtime/plugins/clusters"
	_ "horizon-realtime/plugins/hypervisors"
	_ "horizon-realtime/plugins/identity"
	_ "horizon-realtime/plugins/images"
	_ "horizon-realtime/plugins/instances"
	_ "horizon-realtime/plugins/keypairs"
	_ "horizon-realtime/plugins/loadbalancers"
	_ "horizon-realtime/plugins/networks"
	_ "horizon-realtime/plugins/servergroups"
	_ "horizon-realtime/plugins/stacks"
	_ "horizon-realtime/plugins/tables"
	_ "horizon-realtime/plugins/toast"
	_ "horizon-realtime/plugins/usage"
	_ "horizon-realtime/plugins/volumes"
	_ "horizon-realtime/plugins/zones"
)

func main() {}
