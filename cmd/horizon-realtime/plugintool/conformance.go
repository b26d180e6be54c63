package plugintool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/conformance"
	"horizon-realtime/sdk/sdktest"
)

// conform runs the cases that every SDK has to fulfil against the module in a
// file, which behaves as sdk/conformance/README.md says.
//
// # Errors
//
// The plugin does not load. A case that fails is no error.
func conform(ctx context.Context, file string, setup Setup) ([]CaseResult, error) {
	cases, err := conformance.Cases()
	if err != nil {
		return nil, err
	}
	// What an SDK gets right counts here, not what that costs: a value of 200 kB
	// takes one in AssemblyScript more than a call's fuel.
	setup.Plugins.Fuel *= 4
	setup.Plugins.CallTimeout = max(setup.Plugins.CallTimeout, time.Second)
	results := make([]CaseResult, len(cases))
	for i := range cases {
		c := &cases[i]
		results[i] = CaseResult{Name: c.Name, About: c.About}
		run := conformanceRun{caseRun{c: &sdktest.Case{Config: c.Config}, result: &results[i]}}
		if err := run.run(ctx, file, c, setup); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		results[i].OK = len(results[i].Problems) == 0
	}
	return results, nil
}

// conformanceRun is one case under way.
type conformanceRun struct{ caseRun }

func (r *conformanceRun) run(ctx context.Context, file string, c *conformance.Case, setup Setup) error {
	err := r.load(ctx, file, setup)
	if c.Refused != "" {
		return r.refused(err, c.Refused)
	}
	if err != nil {
		return err
	}
	defer r.trial.Close()
	for i := range c.Steps {
		s := &c.Steps[i]
		message := s.Message()
		for range max(1, s.Times) {
			a, n, err := r.send(ctx, message)
			if err != nil {
				return fmt.Errorf("step %d: %w", i, err)
			}
			before := len(r.result.Problems)
			r.step(s, a, n)
			if problems := r.result.Problems[before:]; len(problems) > 0 {
				for j := range problems {
					problems[j] = fmt.Sprintf("step %d: %s", i, problems[j])
				}
				return nil // later problems would only follow from it
			}
		}
	}
	return nil
}

// refused checks that the plugin did not start, and what it said then.
func (r *conformanceRun) refused(err error, want string) error {
	var refusal *Refusal
	switch {
	case err == nil:
		r.trial.Close()
		r.problem("it starts, and should refuse to")
	case !errors.As(err, &refusal):
		return err
	case !slices.ContainsFunc(refusal.Said, func(l Line) bool { return l.Text == want }):
		r.problem("it refuses to start, but does not log %q: %s", want, refusal)
	}
	return nil
}

func (r *conformanceRun) step(s *conformance.Step, a Answer, n *event.Notification) {
	switch {
	case a.Called == s.Unheard:
		r.problem("called for %s: %t, want %t; it hears %s", n.Type, a.Called, !s.Unheard, strings.Join(r.trial.Status().On, " "))
		return
	case s.Fault && a.Fault == "":
		r.problem("the call went well, and should fail")
		return
	case s.Fault:
		return
	case a.Fault != "":
		r.problem("%s", a.Fault)
		return
	}
	var log []string
	for _, line := range a.Log {
		log = append(log, strings.ToLower(line.Level.String())+": "+line.Text)
	}
	if !slices.Equal(log, s.Log) {
		r.problem("it logged %q, want %q", log, s.Log)
	}
	if a.Stopped != s.Stop {
		r.problem("stopped: got %t, want %t", a.Stopped, s.Stop)
	}
	for i := range max(len(a.Emissions), len(s.Emissions)) {
		r.emission(i, a.Emissions, s.Emissions)
	}
}

// emission compares the i-th emission. Payloads are compared as values: an SDK
// may spell an escape as it likes, and write members in any order.
func (r *conformanceRun) emission(i int, got []Emission, want []sdktest.Emission) {
	at := fmt.Sprintf("emission %d", i)
	switch {
	case i >= len(got):
		r.problem("%s: got none, want %s", at, want[i])
	case i >= len(want):
		r.problem("%s: want none, got %s", at, got[i])
	case got[i].Refused != "":
		r.problem("%s: the router would not publish to %s: %s", at, got[i].Channel, got[i].Refused)
	default:
		r.result.Problems = append(r.result.Problems, got[i].Differences(at, want[i])...)
	}
}
