package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// Where a service repeats or measures what is so already, nothing was done, and
// no stock plugin says anything: no row comes, no toast, no line of the audit, and
// nothing is counted.
func TestWhatWasNotDoneIsNotTold(t *testing.T) {
	_, cases, plugins := tables(t)
	quiet := func(event, priority string, payload map[string]any) {
		t.Helper()
		message, err := json.Marshal(map[string]any{
			"message_id": fmt.Sprintf("quiet-%s-%v", event, payload), "publisher_id": "x.host", "event_type": event,
			"priority": priority, "timestamp": "2026-11-23 15:00:00.000000", "payload": payload,
		})
		if err != nil {
			t.Fatal(err)
		}
		n, all, ok := plugins.send(t, message)
		if !ok {
			t.Fatalf("the router does not take %s", message)
		}
		for _, e := range all {
			t.Errorf("%s tells %s of %s: %.200s", e.plugin, e.Channel, n.Type, e.Payload)
		}
	}

	audited := 0
	for _, c := range cases {
		var m struct {
			Payload map[string]any
		}
		if json.Unmarshal(c.Notification, &m) != nil {
			continue // a failed upload has a text for a payload
		}
		kind := first(c.event)
		if kind != "volume" && kind != "snapshot" && kind != "backup" {
			continue
		}
		payload := maps.Clone(m.Payload)
		payload[kind+"_id"] = fmt.Sprintf("audited-%d", audited)
		payload["audit_period_beginning"] = "2026-11-23 14:55:00+00:00"
		payload["audit_period_ending"] = "2026-11-23 14:55:00+00:00"
		quiet(c.event, "INFO", payload)
		audited++
	}
	if audited < 50 {
		t.Errorf("only %d cases of cinder's", audited)
	}

	owned := map[string]any{
		"tenant_id": "p", "project_id": "p", "user_id": "u", "id": "r", "instance_id": "r", "volume_id": "r", "share_id": "r", "name": "n", "action": "read/list",
		"label_id": "l", "state": "active", "status": "available", "size": 1,
	}
	for _, event := range strings.Fields(`compute.instance.exists instance.exists volume.exists snapshot.exists backup.exists volume.usage
		network.exists subnet.exists port.exists router.exists floatingip.exists dns.zone.exists dns.domain.exists trove.instance.exists
		share.consumed.size l3.meter l3.meter.label hardware.ipmi.metrics hardware.redfish.metrics capacity.pool capacity.backend
		compute.metrics.update metrics.update objectstore.http.request http.request http.response audit.http.request audit.http.response`) {
		quiet(event, "INFO", owned)
	}
	quiet("telemetry.polling", "SAMPLE", owned)
}
