package workshop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/sdk/sdktest"
)

// CaseResult is what became of one golden case.
type CaseResult struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
	OK    bool   `json:"ok"`
	// Problems say in words where the filter did something else.
	Problems []string `json:"problems,omitempty"`
	// Log is what the filter logged.
	Log []Line `json:"log,omitempty"`
}

// RunCases runs the golden cases of a folder, in package sdktest's format,
// against the module in a file, each on a filter that has just been started.
//
// # Errors
//
// A case cannot be read, or the filter does not load. A case that fails is no
// error.
func RunCases(ctx context.Context, file, dir string, setup Setup) ([]CaseResult, error) {
	cases, err := sdktest.Cases(dir)
	if err != nil {
		return nil, err
	}
	// The first load without a case's configuration tells a filter that is
	// refused from a case whose configuration is.
	t, err := Load(ctx, file, "", setup)
	if err != nil && !refusedByItself(err) {
		return nil, err
	}
	if err == nil {
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

// load starts the filter with the case's configuration.
func (r *caseRun) load(ctx context.Context, file string, setup Setup) error {
	table, err := settingsOf(r.c)
	if err != nil {
		return err
	}
	name := NameOf(file)
	setup.Tables = maps.Clone(setup.Tables)
	if setup.Tables == nil {
		setup.Tables = make(map[string]plugin.Settings)
	}
	table.Fuel, table.MemoryBytes = setup.Tables[name].Fuel, setup.Tables[name].MemoryBytes
	setup.Tables[name] = table
	r.oslo = oslo.NewDecoder(oslo.DefaultConfig())
	r.trial, err = Load(ctx, file, "", setup)
	return err
}

// settingsOf is the table that a case asks for. As natively, a case may emit to
// admin channels; what an operator grants is not the case's business.
func settingsOf(c *sdktest.Case) (plugin.Settings, error) {
	s := plugin.Settings{Grants: []string{"admin"}}
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
		r.problem("the router finds project %q and user %q as the owners of this notification, the case says %q and %q; write what the router finds", n.Project, n.User, r.c.Project, r.c.User)
	}
	if !a.Called {
		r.problem("the filter has not asked for %s; it hears %s", n.Type, strings.Join(r.trial.Status().On, " "))
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
	r.result.Problems = append(r.result.Problems, differences(r.c, emissions)...)
	if a.Stopped != r.c.Stop {
		r.problem("stopped: got %t, want %t", a.Stopped, r.c.Stop)
	}
}

// differences says where the emissions are not those of the case, a sentence for
// each place.
func differences(c *sdktest.Case, got []sdktest.Emission) []string {
	whole := c.Diff(got)
	if whole == "" {
		return nil
	}
	var found []string
	for i := range max(len(got), len(c.Emissions)) {
		at := fmt.Sprintf("emission %d", i)
		switch {
		case i >= len(got):
			found = append(found, fmt.Sprintf("%s: got none, want %s", at, c.Emissions[i]))
		case i >= len(c.Emissions):
			found = append(found, fmt.Sprintf("%s: want none, got %s", at, got[i]))
		default:
			have, want := got[i], c.Emissions[i]
			found = compareValues(found, at+" channel", have.Channel, want.Channel)
			found = compareValues(found, at+" key", have.Key, want.Key)
			found = compareValues(found, at+" removed", have.Removed, want.Removed)
			found = compareValues(found, at+" payload ", decoded(have.Payload), decoded(want.Payload))
		}
	}
	if found == nil { // members in another order, numbers in another spelling
		found = []string{strings.TrimSpace(whole)}
	}
	return found
}

// missing stands for a member that is not there.
type missing struct{}

// compareValues adds a sentence for each place where two JSON values differ. at
// names the place, and grows as a JSON Pointer does.
func compareValues(found []string, at string, got, want any) []string {
	g, object := got.(map[string]any)
	w, both := want.(map[string]any)
	if object && both {
		names := maps.Clone(g)
		maps.Copy(names, w)
		for _, name := range sortedKeys(names) {
			found = compareValues(found, at+"/"+name, memberOf(g, name), memberOf(w, name))
		}
		return found
	}
	if !reflect.DeepEqual(got, want) {
		found = append(found, fmt.Sprintf("%s: got %s, want %s", at, spelled(got), spelled(want)))
	}
	return found
}

func memberOf(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	return missing{}
}

func spelled(v any) string {
	if v == (missing{}) {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil { // it was decoded from JSON
		return fmt.Sprint(v)
	}
	return string(text)
}

// decoded is a payload as Go values, numbers as they are spelled.
func decoded(payload []byte) any {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return string(payload)
	}
	return v
}
