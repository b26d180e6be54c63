package panel

import (
	"strings"

	"horizon-realtime/sdk"
)

// period is what a service writes into a notification of its usage audit. That of
// cinder repeats create and delete of everything there is or was, as often as every
// five minutes (cinder/cmd/volume_usage_audit.py), and this is all that differs.
// Nova has it in each compute.instance.update as well, which is news all the same.
var period = sdk.WantCommon("/payload/audit_period_beginning")

// news reports whether a notification says that something was done. Services also
// send what they measure, what exists, and who has read something: all of that is
// about things that are as they were.
func news(e *Event) bool {
	event := e.Type()
	if event == "compute.instance.update" {
		return true
	}
	return !measured(e, event) && e.Get(period).Kind() == sdk.KindAbsent && e.Priority() != "sample"
}

// measured reports whether an event type is of those that services send by the
// clock, or for each request.
func measured(e *Event, event string) bool {
	if strings.HasSuffix(event, ".exists") {
		return true
	}
	if event == "" {
		return false
	}
	switch event[0] {
	case 'a': // keystonemiddleware's
		return event == "audit.http.request" || event == "audit.http.response" && !changes(e.Field("/payload/action").Text())
	case 'c':
		return event == "compute.metrics.update" || strings.HasPrefix(event, "capacity.")
	case 'h':
		return strings.HasPrefix(event, "hardware.") || strings.HasPrefix(event, "http.")
	case 'i':
		return event == "image_volume_cache.hit" || event == "image_volume_cache.miss"
	case 'l':
		return strings.HasPrefix(event, "l3.meter")
	case 'm':
		return event == "metrics.update"
	case 'o':
		return strings.HasPrefix(event, "objectstore.")
	case 'q': // cinder's, of who asks
		return event == "qos_specs.associations"
	case 's':
		return event == "share.consumed.size"
	case 't':
		return strings.HasPrefix(event, "telemetry.")
	case 'v':
		return event == "volume.usage"
	}
	return false
}

// changes reports whether an action of CADF's taxonomy changes anything.
func changes(action string) bool {
	return action != "" && action != "unknown" && action != "read" && !strings.HasPrefix(action, "read/")
}
