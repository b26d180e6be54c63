package plugintool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/sdk/sdktest"
)

// CaseResult is the result of one golden case.
type CaseResult struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
	OK    bool   `json:"ok"`
	// Problems say in words what the plugin did differently.
	Problems []string `json:"problems,omitempty"`
	// Log is what the plugin logged.
	Log []Line `json:"log,omitempty"`
}

// runCases runs the golden cases of a folder, in package sdktest's format,
// against the module in a file, each on a plugin that has just been started.
//
// # Errors
//
// A case cannot be read, or the plugin does not load. A case that fails is no
// error.
func runCases(ctx context.Context, file, dir string, setup Setup) ([]CaseResult, error) {
	cases, err := sdktest.Cases(dir)
	if err != nil {
		return nil, err
	}
	// Loading it once without a case's configuration distinguishes a plugin that
	// is refused from a case whose configuration is.
	t, err := loadTrial(ctx, file, "", setup)
	if err != nil && !refusedByItself(err) {
		return nil, err
	}
	if err == nil {
		var names []string
		for _, s := range t.host.Status() {
			names = append(names, s.Name)
		}
		setup.Tables = setup.only(t.name, names) // so that the others are not started for each case
		t.Close()
	}
	results := make([]CaseResult, len(cases))
	for i := range cases {
		c := &cases[i]
		results[i] = CaseResult{Name: c.Name, About: c.About}
		run := caseRun{c: c, result: &results[i]}
		if err := run.run(ctx, file, setup); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		results[i].OK = len(results[i].Problems) == 0
	}
	return results, nil
}

func refusedByItself(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && len(r.Said) > 0
}

// caseRun is one case under way.
type caseRun struct {
	c      *sdktest.Case
	result *CaseResult
	trial  *Trial
	oslo   *oslo.Decoder
}

func (r *caseRun) problem(format string, args ...any) {
	r.result.Problems = append(r.result.Problems, fmt.Sprintf(format, args...))
}

func (r *caseRun) run(ctx context.Context, file string, setup Setup) error {
	var refusal *Refusal
	if err := r.load(ctx, file, setup); errors.As(err, &refusal) {
		r.problem("with the case's configuration, %s", refusal)
		return nil
	} else if err != nil {
		return err
	}
	defer r.trial.Close()
	for i, message := range r.c.Before {
		a, _, err := r.send(ctx, message)
		if err != nil {
			return fmt.Errorf("message %d of before: %w", i, err)
		}
		if a.Fault != "" {
			r.problem("message %d of before: %s", i, a.Fault)
		}
	}
	a, n, err := r.send(ctx, r.c.Notification)
	if err != nil {
		return err
	}
	r.compare(a, n)
	return nil
}

// load starts the plugin with the case's configuration.
func (r *caseRun) load(ctx context.Context, file string, setup Setup) error {
	table, err := settingsOf(r.c)
	if err != nil {
		return err
	}
	name := setup.name(file)
	setup.Tables = maps.Clone(setup.Tables)
	if setup.Tables == nil {
		setup.Tables = make(map[string]plugin.Settings)
	}
	table.Fuel, table.MemoryBytes = setup.Tables[name].Fuel, setup.Tables[name].MemoryBytes
	setup.Tables[name] = table
	r.oslo = oslo.NewDecoder(oslo.DefaultConfig())
	r.trial, err = loadTrial(ctx, file, "", setup)
	return err
}

// settingsOf is the table that a case asks for. As in native tests, a case may
// emit to admin channels and to any topic, and stop, whatever an operator allows.
func settingsOf(c *sdktest.Case) (plugin.Settings, error) {
	s := plugin.Settings{Grants: []string{"admin", "stop"}, Topics: []string{event.AnyTopic}}
	if len(c.Config) == 0 {
		return s, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(c.Config))
	decoder.UseNumber()
	if err := decoder.Decode(&s.Config); err != nil {
		return s, fmt.Errorf("read its config: %w; it is a JSON object", err)
	}
	return s, nil
}

func (r *caseRun) send(ctx context.Context, message []byte) (Answer, *event.Notification, error) {
	n := new(event.Notification)
	if err := r.oslo.Decode(n, message, ""); err != nil {
		return Answer{}, nil, fmt.Errorf("the router does not take the notification: %w", err)
	}
	return r.trial.Send(ctx, n), n, nil
}

func (r *caseRun) compare(a Answer, n *event.Notification) {
	r.result.Log = a.Log
	if n.Project != r.c.Project || n.User != r.c.User {
		r.problem("the router finds that project %q and user %q own this notification, the case says %q and %q; write what the router finds", n.Project, n.User, r.c.Project, r.c.User)
	}
	if !a.Called {
		r.problem("the plugin has not asked for %s; it hears %s", n.Type, strings.Join(r.trial.Status().On, " "))
		return
	}
	if a.Fault != "" {
		r.problem("%s", a.Fault)
		return
	}
	emissions := make([]sdktest.Emission, len(a.Emissions))
	for i, e := range a.Emissions {
		emissions[i] = e.Emission
		if e.Refused != "" {
			r.problem("emission %d: the router would not publish to %s: %s", i, e.Channel, e.Refused)
		}
	}
	r.result.Problems = append(r.result.Problems, r.c.Diff(emissions)...)
	if a.Dropped > 0 {
		r.problem("the router would drop %s; the log says why", counted(a.Dropped, "emission"))
	}
	if a.Stopped != r.c.Stop {
		r.problem("stopped: got %t, want %t", a.Stopped, r.c.Stop)
	}
}
