package fuel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

// plenty is more fuel than any test of the specification uses up.
const plenty = 1 << 60

// specFolder is where the engine's module carries the specification's tests,
// translated to one JSON script and several binaries a file.
func specFolder(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Fatalf("find the engine's sources, which carry the specification's tests: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	if _, err := os.Stat(filepath.Join(dir, "v2", "testdata", "loop.json")); err != nil {
		tb.Fatalf("the specification's tests are not where the engine had them: %v", err)
	}
	return dir
}

// TestSpecification runs the specification's tests twice side by side, as they
// are and rewritten, and wants the same of both, and what the script says.
func TestSpecification(t *testing.T) {
	dir := specFolder(t)
	ctx := context.Background()
	for _, suite := range []struct {
		name     string
		features api.CoreFeatures
		config   wazero.RuntimeConfig
		worlds   int
		atLeast  int
	}{
		{"v1", api.CoreFeaturesV1, wazero.NewRuntimeConfigInterpreter(), rewritten + 1, 17_000},
		{"v2", api.CoreFeaturesV2, wazero.NewRuntimeConfig(), len(rewriters), 45_000},
	} {
		t.Run(suite.name, func(t *testing.T) {
			scripts, err := filepath.Glob(filepath.Join(dir, suite.name, "testdata", "*.json"))
			if err != nil || len(scripts) == 0 {
				t.Fatalf("no scripts: %v", err)
			}
			spectest, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			ran, work := 0, uint64(0)
			for _, file := range scripts {
				s := newScript(t, ctx, file, spectest, suite.config.WithCoreFeatures(suite.features), suite.worlds)
				s.run()
				s.close()
				ran += s.ran
				work += s.work
			}
			t.Logf("%d assertions in %d scripts, %d units of work", ran, len(scripts), work)
			if ran < suite.atLeast {
				t.Errorf("%d assertions were run, at least %d are expected", ran, suite.atLeast)
			}
		})
	}
}

// script is one file of the specification's tests, and two worlds to run it in.
type script struct {
	t        *testing.T
	ctx      context.Context
	dir      string
	commands []command
	worlds   []*world // in the order of rewriters
	ran      int
	work     uint64
}

type command struct {
	Type       string
	Line       int
	Name, As   string
	Filename   string
	ModuleType string `json:"module_type"`
	Action     struct {
		Type, Field, Module string
		Args                []value
	}
	Expected []value
}

type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    json.RawMessage
}

// world is one engine with the script's modules in it.
type world struct {
	rewrite rewriter // nil: as it is
	runtime wazero.Runtime
	last    api.Module
	named   map[string]api.Module
	pump    pump // of all modules
}

func (w *world) refuel() {
	for _, g := range w.pump {
		g.Set(plenty)
	}
}

func (w *world) used() (n uint64) {
	for _, g := range w.pump {
		n += plenty - g.Get()
	}
	return n
}

type rewriter func([]byte, fuel.Limits) ([]byte, *fuel.Info, error)

const (
	asItIs = iota
	rewritten
	withoutSlack
	byStretch
)

var rewriters = [...]rewriter{
	rewritten:    fuel.Instrument,
	withoutSlack: fuel.InstrumentWithoutSlack,
	byStretch:    fuel.InstrumentStretches,
}

func newScript(t *testing.T, ctx context.Context, file string, spectest []byte, config wazero.RuntimeConfig, worlds int) *script {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct{ Commands []command }
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	s := &script{t: t, ctx: ctx, dir: filepath.Dir(file), commands: parsed.Commands}
	for i := range worlds {
		w := &world{rewrite: rewriters[i], runtime: wazero.NewRuntimeWithConfig(ctx, config), named: map[string]api.Module{}}
		w.pump = newPump(t, w.runtime)
		if err := w.load(ctx, spectest, ""); err != nil {
			t.Fatalf("instantiate spectest: %v", err)
		}
		s.worlds = append(s.worlds, w)
	}
	return s
}

func (s *script) close() {
	for _, w := range s.worlds {
		if err := w.runtime.Close(s.ctx); err != nil {
			s.t.Error(err)
		}
	}
}

// wide are limits that the specification's own tests stay in.
func wide() fuel.Limits {
	l := fuel.DefaultLimits()
	l.MemoryPages, l.TableEntries, l.Tables = 1<<16, math.MaxUint32, 100
	l.BranchTargets, l.FunctionCompile = 100_000, math.MaxInt64
	return l
}

func (w *world) load(ctx context.Context, binary []byte, name string) error {
	if w.rewrite != nil {
		rewritten, _, err := w.rewrite(binary, wide())
		if err != nil {
			return fmt.Errorf("rewrite: %w", err)
		}
		binary = rewritten
	}
	config := wazero.NewModuleConfig().WithName(name).WithStartFunctions()
	if name == "" && w.last == nil {
		config = config.WithName("spectest")
	}
	m, err := w.runtime.InstantiateWithConfig(ctx, binary, config)
	if err != nil {
		return err
	}
	if w.rewrite != nil {
		w.pump.attach(m, plenty)
		w.refuel()
		if start := m.ExportedFunction(fuel.Start); start != nil {
			if _, err := start.Call(ctx); err != nil {
				return fmt.Errorf("start: %w", err)
			}
		}
	}
	w.last = m
	return nil
}

func (s *script) run() {
	for i := 0; i < len(s.commands); i++ {
		c := &s.commands[i]
		switch c.Type {
		case "module":
			as := ""
			if next := i + 1; next < len(s.commands) && s.commands[next].Type == "register" {
				as = s.commands[next].As
				i++
			}
			s.load(c, as, true)
		case "assert_return", "action", "assert_trap", "assert_exhaustion":
			s.act(c)
		case "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
			if c.ModuleType != "text" {
				s.load(c, "", false)
			}
		default:
			s.t.Fatalf("line %d: unknown command %q", c.Line, c.Type)
		}
	}
}

func (s *script) load(c *command, as string, must bool) {
	s.ran++
	binary, err := os.ReadFile(filepath.Join(s.dir, c.Filename))
	if err != nil {
		s.t.Fatal(err)
	}
	var errs [len(rewriters)]error
	for i, w := range s.worlds {
		before := w.last
		errs[i] = w.load(s.ctx, binary, as)
		if !must {
			w.last = before
		} else if c.Name != "" {
			w.named[c.Name] = w.last
		}
	}
	for i := range s.worlds {
		if (errs[i] == nil) != (errs[asItIs] == nil) || must && errs[i] != nil {
			s.t.Errorf("%s (line %d): as it is: %v, rewritten: %v", c.Filename, c.Line, errs[asItIs], errs[i])
		}
	}
}

// act does what the command says in both worlds and compares.
func (s *script) act(c *command) {
	s.ran++
	var results [len(rewriters)][]uint64
	var errs [len(rewriters)]error
	var used [len(rewriters)]uint64
	for i, w := range s.worlds {
		m := w.last
		if c.Action.Module != "" {
			m = w.named[c.Action.Module]
		}
		if c.Action.Type == "get" {
			results[i] = []uint64{m.ExportedGlobal(c.Action.Field).Get()}
			continue
		}
		var args []uint64
		for _, a := range c.Action.Args {
			args = append(args, a.bits()...)
		}
		w.refuel()
		results[i], errs[i] = m.ExportedFunction(c.Action.Field).Call(s.ctx, args...)
		used[i] = w.used()
	}
	where := fmt.Sprintf("%s line %d: %s", filepath.Base(s.dir), c.Line, c.Action.Field)
	wantErr := c.Type == "assert_trap" || c.Type == "assert_exhaustion"
	for i := range s.worlds {
		err := errs[i]
		if (err != nil) != wantErr {
			s.t.Errorf("%s: world %d: %v", where, i, err)
			return
		}
		if err != nil && cause(err) != cause(errs[asItIs]) && !overflows(errs[asItIs], err) {
			s.t.Errorf("%s: as it is: %q, world %d: %q", where, cause(errs[asItIs]), i, cause(err))
		}
	}
	if !wantErr && len(s.worlds) == len(rewriters) {
		s.compareFuel(where, used)
	}
	if c.Type == "assert_return" {
		for i := range s.worlds {
			if r := results[i]; !matches(r, c.Expected) {
				s.t.Errorf("%s: world %d: %x, want %+v", where, i, results[i], c.Expected)
			}
		}
	}
}

// compareFuel wants a run that did not trap to be charged for all it did. Only
// slack makes it dearer, and it did nothing twice at the price of once.
func (s *script) compareFuel(where string, used [len(rewriters)]uint64) {
	if used[withoutSlack] != used[byStretch] || used[rewritten] < used[byStretch] {
		s.t.Errorf("%s: took %d units of fuel, %d without slack, for work of %d",
			where, used[rewritten], used[withoutSlack], used[byStretch])
	}
	s.work += used[byStretch]
}

// cause is the trap at the bottom of an error.
func cause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// bits are the words a value takes on the engine's stack. A NaN of any kind is
// the canonical one: only expected values are of a kind.
func (v value) bits() []uint64 {
	if v.Type != "v128" {
		return []uint64{number(v.Type, unquote(v.Value))}
	}
	var lanes []string
	if err := json.Unmarshal(v.Value, &lanes); err != nil {
		panic(err)
	}
	width := 128 / len(lanes)
	var words [2]uint64
	for i, lane := range lanes {
		bit := i * width
		words[bit/64] |= number(v.LaneType, lane) << (bit % 64)
	}
	return words[:]
}

func unquote(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return "null"
	}
	return s
}

func number(kind, text string) uint64 {
	switch {
	case text == "null":
		return 0
	case strings.HasPrefix(text, "nan:") && kind == "f32":
		return 0x7fc00000
	case strings.HasPrefix(text, "nan:"):
		return 0x7ff8000000000000
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	if kind == "externref" {
		n++ // the engine takes 0 for null
	}
	return n
}

func matches(got []uint64, want []value) bool {
	var words []uint64
	var kinds []string
	for _, v := range want {
		b := v.bits()
		words = append(words, b...)
		for range b {
			if v.Type == "v128" {
				kinds = append(kinds, "v128/"+v.LaneType)
			} else {
				kinds = append(kinds, v.Type)
			}
		}
	}
	if len(got) != len(words) {
		return false
	}
	for i := range got {
		if !same(kinds[i], got[i], words[i]) {
			return false
		}
	}
	return true
}

// same compares two words; any NaN equals any other.
func same(kind string, a, b uint64) bool {
	switch kind {
	case "i32", "f32":
		a, b = a&math.MaxUint32, b&math.MaxUint32
	}
	switch kind {
	case "f32":
		return sameF32(uint32(a), uint32(b))
	case "f64", "v128/f64":
		return sameF64(a, b)
	case "v128/f32":
		return sameF32(uint32(a), uint32(b)) && sameF32(uint32(a>>32), uint32(b>>32))
	}
	return a == b
}

func sameF32(a, b uint32) bool {
	x, y := math.Float32frombits(a), math.Float32frombits(b)
	return a == b || x != x && y != y
}

func sameF64(a, b uint64) bool {
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	return a == b || x != x && y != y
}

// overflows reports whether a run overflows the engine's stack as it is, and its
// own when rewritten.
func overflows(asItIs, rewritten error) bool {
	return cause(asItIs) == "stack overflow" && errors.Is(rewritten, fuel.ErrStack)
}
