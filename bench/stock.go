package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

// stockSet measures what a notification costs on average, from its bytes on the
// wire to the emissions of the stock plugins, over everything a real OpenStack
// said, beside the same made with encoding/json in plain Go.
func stockSet() ([]result, error) {
	all, err := recorded("")
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for _, r := range all {
		bodies = append(bodies, []byte(r.Body))
	}
	host, worker, err := openPlugins("", 0)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	defer worker.Close()
	ours := &routerPath{worker: worker, decoder: oslo.NewDecoder(oslo.DefaultConfig())}
	plain := newPlainPath(host.Status())
	pass := func(one func(body []byte) (int, error)) func() error {
		return func() error {
			emitted := 0
			for _, body := range bodies {
				n, err := one(body)
				if err != nil {
					return err
				}
				emitted += n
			}
			if emitted < len(bodies)/4 {
				return fmt.Errorf("%d emissions for %d notifications", emitted, len(bodies))
			}
			return nil
		}
	}
	figures, err := compare([]contender{{"ours", pass(ours.one)}, {"plain", pass(plain.one)}})
	if err != nil {
		return nil, err
	}
	each := func(name string) float64 { return figures[name] / float64(len(bodies)) / 1e3 }
	over := fmt.Sprintf("per notification, %d stock plugins over %d recorded ones", stockCount, len(bodies))
	return []result{
		row("CPU "+over+" (goal 1)", "µs", each("ours"), each("plain"), "native Go, encoding/json in and out"),
		row("emissions "+over, "", float64(ours.total)/float64(ours.handled), float64(len(plain.out)), "the same native Go"),
		row("fuel "+over, "thousands", fuelUsed(host.Status())/float64(ours.handled)/1e3, float64(plugin.DefaultConfig().Fuel)/1e3, "what one call may use"),
	}, nil
}

// fuelUsed is what all plugins have used so far.
func fuelUsed(running []plugin.Status) (used float64) {
	for _, f := range running {
		used += float64(f.Calls) * float64(f.FuelPerCall)
	}
	return used
}

// routerPath is the pipeline's: decode, every plugin that asked.
type routerPath struct {
	worker  *pluginWorker
	decoder *oslo.Decoder
	n       event.Notification
	// handled and total count notifications and emissions.
	handled, total int
}

func (p *routerPath) one(body []byte) (emitted int, err error) {
	if err := p.decoder.Decode(&p.n, body, ""); err != nil {
		return 0, err
	}
	p.worker.emitted = 0
	if o := p.worker.Handle(p.worker.ctx, &p.n, p.worker.emit); o.Faults > 0 {
		return 0, fmt.Errorf("%+v for %s", o, p.n.Type)
	}
	p.handled++
	p.total += p.worker.emitted
	return p.worker.emitted, nil
}

// plainPath is the same as a program would usually be written: the message into
// a map, the fields out of it, a message for the project and one for admins.
type plainPath struct {
	patterns []string // what the stock plugins ask for
	out      [2][]byte
}

func newPlainPath(running []plugin.Status) *plainPath {
	p := &plainPath{}
	for _, f := range running {
		p.patterns = append(p.patterns, f.On...)
	}
	return p
}

// plainMessage is the panel message.
type plainMessage struct {
	V         int            `json:"v"`
	Event     string         `json:"event"`
	ID        any            `json:"id"`
	Name      any            `json:"name"`
	ProjectID any            `json:"project_id"`
	UserID    any            `json:"user_id"`
	Status    any            `json:"status"`
	Task      any            `json:"task"`
	At        string         `json:"at"`
	RequestID any            `json:"request_id"`
	Data      map[string]any `json:"data"`
}

// plainColumns are what goes into data where the message has it, and
// adminColumns besides for admins.
var (
	plainColumns = []string{"instance_type", "availability_zone", "key_name", "power_state", "image_name", "image_ref_url",
		"fixed_ips", "ip_addresses", "created_at", "launched_at", "size", "volume_type", "mac_address", "cidr", "disk_format"}
	adminColumns = []string{"host", "node"}
)

func (p *plainPath) one(body []byte) (emitted int, err error) {
	var envelope struct {
		Message string `json:"oslo.message"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return 0, err
	}
	var m struct {
		EventType string         `json:"event_type"`
		Timestamp string         `json:"timestamp"`
		RequestID any            `json:"_context_request_id"`
		Payload   map[string]any `json:"payload"`
	}
	if err := json.Unmarshal([]byte(envelope.Message), &m); err != nil {
		return 0, err
	}
	if !p.wanted(m.EventType) {
		return 0, nil
	}
	fields := resource(m.Payload)
	first := func(keys ...string) any {
		for _, key := range keys {
			if v, ok := fields[key]; ok {
				return v
			}
		}
		return nil
	}
	message := plainMessage{
		V: 1, Event: m.EventType, At: m.Timestamp, RequestID: m.RequestID,
		ID: first("instance_id", "uuid", "volume_id", "id", "resource_info"), Name: first("display_name", "name"),
		ProjectID: first("tenant_id", "project_id", "owner"), UserID: first("user_id"),
		Status: first("state", "status"), Task: first("state_description", "task_state"), Data: map[string]any{},
	}
	for i, columns := range [][]string{plainColumns, adminColumns} {
		for _, key := range columns {
			if v, ok := fields[key]; ok {
				message.Data[key] = v
			}
		}
		if p.out[i], err = json.Marshal(message); err != nil {
			return 0, err
		}
	}
	return len(p.out), nil
}

// resource finds the object that a payload is about: itself, or what is wrapped
// in it by nova's versioned format or neutron.
func resource(payload map[string]any) map[string]any {
	if data, ok := payload["nova_object.data"].(map[string]any); ok {
		return data
	}
	if len(payload) == 1 {
		for _, v := range payload {
			if inner, ok := v.(map[string]any); ok {
				return inner
			}
		}
	}
	return payload
}

func (p *plainPath) wanted(eventType string) bool {
	for _, pattern := range p.patterns {
		if prefix, open := strings.CutSuffix(pattern, "*"); pattern == eventType || open && strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return false
}
