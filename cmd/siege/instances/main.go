// Command instances is a module with the one stock plugin whose deliveries the
// siege counts.
package main

import _ "horizon-realtime/plugins/instances"

func main() {}
