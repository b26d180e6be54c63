package networks

import (
	"fmt"
	"strings"
	"testing"

	"horizon-realtime/sdk/sdktest"
)

func TestManyAtOnceStayUnderTheLimit(t *testing.T) {
	for made, told := range map[int]int{31: 31, 32: 31, 500: 31} {
		var ports []string
		for i := range made {
			ports = append(ports, fmt.Sprintf(`{"id":"port-%d","project_id":"p1"}`, i))
		}
		a := sdktest.Start(t, "").Send(sdktest.Notification{Project: "p1", Message: []byte(
			`{"event_type":"port.create.end","priority":"INFO","timestamp":"2026-11-23 10:00:00.000000","payload":{"ports":[` + strings.Join(ports, ",") + `]}}`)})
		if len(a.Emissions) != 2*told || (len(a.Log) > 0) != (made > told) {
			t.Errorf("%d ports: %d emissions, %d log lines", made, len(a.Emissions), len(a.Log))
		}
	}
}
