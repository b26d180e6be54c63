package plugintool

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/regular"
	"horizon-realtime/sdk/abi"
)

func newInspect(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE.wasm",
		Short: "Show what a plugin asks for, what it is made of, and whether a router admits it",
		Long: `Show what a plugin asks for, what it is made of, and whether a router with this
configuration admits it. Exit code 1 means that it does not.`,
		Example: "  horizon-realtime plugin inspect --output json 50-volumes.wasm",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			setup.Signed = true
			found, err := inspect(cmd.Context(), args[0], "", setup)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if err := o.print(out, found, func() { printInspection(out, found) }); err != nil {
				return err
			}
			return found.Refusal()
		},
	}
}

func printInspection(out io.Writer, i *Inspection) {
	verdict := "admitted"
	if !i.Admitted {
		verdict = "refused"
	}
	fmt.Fprintf(out, "%s: %s, %s\n", i.File, sized(i.Bytes), verdict)
	fmt.Fprintf(out, "  name     %s, table [plugin.%s]\n", i.Name, i.Name)
	fmt.Fprintf(out, "  version  %s\n", cmp.Or(i.Version, "none"))
	fmt.Fprintf(out, "  sha256   %s\n", i.SHA256)
	signed := "no"
	if i.Signed {
		signed = "yes"
	}
	fmt.Fprintf(out, "  signed   %s\n", signed)
	if i.ABI > 0 {
		fmt.Fprintf(out, "  abi      %d\n", i.ABI)
	} else {
		fmt.Fprintf(out, "  abi      none\n")
	}
	printSubscription(out, i)
	if i.Admitted && i.Plugins == nil {
		fmt.Fprintf(out, "  grants   %s\n", orNone(i.Grants))
		fmt.Fprintf(out, "  topics   %s\n", orNone(i.Topics))
	}
	if i.Admitted {
		fmt.Fprintf(out, "  fuel     %d units a call at most\n", i.FuelLimit)
		fmt.Fprintf(out, "  memory   %s at the start, %s at most\n", sized(i.MemoryBytes), sized(i.MemoryLimitBytes))
	}
	fmt.Fprintf(out, "  code     %s, %s\n", counted(i.Functions, "function"), sized(int64(i.CodeBytes)))
	for _, each := range []struct {
		what string
		list []string
	}{{"imports", i.Imports}, {"exports", i.Exports}} {
		for n, text := range each.list {
			what := each.what
			if n > 0 {
				what = ""
			}
			fmt.Fprintf(out, "  %-8s %s\n", what, text)
		}
	}
	for _, line := range i.Said {
		fmt.Fprintf(out, "  it said  %s: %s\n", line.Level, line.Text)
	}
}

// printSubscription prints what a plugin asked for.
func printSubscription(out io.Writer, i *Inspection) {
	for _, p := range i.Plugins {
		fmt.Fprintf(out, "  plugin   %s hears %s, wants %s, grants %s, topics %s\n", p.Name, plugin.Brief(p.On), counted(len(p.Wants), "field"),
			orNone(p.Grants), plugin.Brief(p.Topics))
	}
	if i.Plugins != nil {
		return
	}
	if i.Admitted {
		fmt.Fprintf(out, "  hears    %s\n", orNone(i.On))
		fmt.Fprintf(out, "  wants    %s\n", orNone(i.Wants))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// namesOf cuts off the types, and only counts the functions of WASI, which the
// toolchain imports.
func namesOf(functions []string) []string {
	var names []string
	wasi := 0
	for _, f := range functions {
		name, _, _ := strings.Cut(f, " ")
		if strings.HasPrefix(name, "wasi_") {
			wasi++
		} else {
			names = append(names, name)
		}
	}
	if wasi > 0 {
		names = append(names, fmt.Sprintf("and %d of WASI", wasi))
	}
	return names
}

const (
	pageBytes = 64 << 10
	// maxModule bounds the files that are looked at, in bytes: more than any router
	// takes unless it is told to.
	maxModule = 256 << 20
	// maxDescribed bounds those whose imports and exports are shown, as reading them
	// takes several times their size.
	maxDescribed = 64 << 20
)

// Inspection is what can be known of a module without sending it anything.
type Inspection struct {
	File string `json:"file"`
	Name string `json:"name"`
	// Version is what the module says, empty if it does not.
	Version string `json:"version"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	// ABI is the version that the module speaks, 0 if it is no plugin.
	ABI int `json:"abi"`
	// Admitted says whether the router loads it, Refused why not.
	Admitted bool   `json:"admitted"`
	Refused  string `json:"refused,omitempty"`
	// Said is what the plugin logged as it started.
	Said []Line `json:"said,omitempty"`
	// On and Wants are what it asked for: event types, and fields.
	On    []string `json:"on"`
	Wants []string `json:"wants"`
	// Imports and Exports are functions with their types; anything else says
	// what it is.
	Imports []string `json:"imports"`
	Exports []string `json:"exports"`
	// MemoryBytes is what the module starts with, MemoryMaxBytes how far it
	// declares that it may grow (0: no limit), and MemoryLimitBytes how far the
	// router lets it.
	MemoryBytes      int64 `json:"memory_bytes"`
	MemoryMaxBytes   int64 `json:"memory_max_bytes"`
	MemoryLimitBytes int64 `json:"memory_limit_bytes"`
	// Functions counts those it defines, CodeBytes what their bodies take.
	Functions int `json:"functions"`
	CodeBytes int `json:"code_bytes"`
	// FuelLimit is what one call may take, Grants what the configuration grants
	// the plugin.
	FuelLimit int64    `json:"fuel_limit"`
	Grants    []string `json:"grants"`
	// Topics are those that it may emit to.
	Topics []string `json:"topics"`
	// Plugins are those of a bundle. Then On, Wants, Grants and Topics are theirs,
	// and empty here.
	Plugins []Inspected `json:"plugins,omitempty"`
	// Signed says whether there is a signature beside the file. If signatures
	// are required, Refused says whether it is good.
	Signed bool `json:"signed"`
}

// Inspected is one plugin of a bundle.
type Inspected struct {
	Name     string   `json:"name"`
	Admitted bool     `json:"admitted"`
	Refused  string   `json:"refused,omitempty"`
	On       []string `json:"on"`
	Wants    []string `json:"wants"`
	Grants   []string `json:"grants"`
	Topics   []string `json:"topics"`
}

// inspect looks at the module in a file, and loads it as the router would. as
// is the name it is loaded under, empty for the file's own.
//
// # Errors
//
// The file cannot be read, or is larger than any module may be. A module that
// is refused is no error.
func inspect(ctx context.Context, file, as string, setup Setup) (*Inspection, error) {
	module, err := regular.Read(file, maxModule)
	if err != nil {
		return nil, fmt.Errorf("read the plugin: %w", err)
	}
	sum := sha256.Sum256(module)
	if as == "" {
		as = file
	}
	_, unsigned := os.Stat(file + ".sig")
	i := &Inspection{
		File: file, Name: nameOf(as), Bytes: int64(len(module)), SHA256: hex.EncodeToString(sum[:]), Signed: unsigned == nil,
		On: []string{}, Wants: []string{}, Imports: []string{}, Exports: []string{}, Grants: []string{}, Topics: []string{},
	}
	if l, err := label.Of(module); err == nil { // otherwise the refusal will say so
		i.Version = l.Version
	}
	i.describe(module)
	return i, i.load(ctx, as, setup)
}

// describe fills in what the module itself says, as far as it can be read.
func (i *Inspection) describe(module []byte) {
	limits := fuel.DefaultLimits()
	limits.ModuleBytes, limits.MemoryPages = maxDescribed, math.MaxUint16
	_, info, err := fuel.Instrument(module, limits)
	if err != nil || info == nil {
		return // the refusal will say so
	}
	for _, m := range info.Imports {
		text := m.Kind.String()
		if m.Func != nil {
			text = m.Func.String()
		}
		i.Imports = append(i.Imports, m.Module+"."+m.Name+" "+text)
	}
	for _, e := range info.Exports {
		text := e.Kind.String()
		if e.Func != nil {
			text = e.Func.String()
		}
		i.Exports = append(i.Exports, e.Name+" "+text)
		if digits, ok := strings.CutPrefix(e.Name, strings.TrimRight(abi.Marker, "0123456789")); ok {
			if version, err := strconv.Atoi(digits); err == nil {
				i.ABI = version
			}
		}
	}
	if m := info.Memory; m != nil {
		i.MemoryBytes = int64(m.Min) * pageBytes
		if m.Max != nil {
			i.MemoryMaxBytes = int64(*m.Max) * pageBytes
		}
	}
	i.Functions, i.CodeBytes = info.Functions, info.CodeBytes
}

// load fills in what the router says.
func (i *Inspection) load(ctx context.Context, as string, setup Setup) error {
	setup.whole = setup.Plugin == ""
	t, err := loadTrial(ctx, i.File, filepath.Base(as), setup)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		i.Refused, i.Said = refusal.Reason, refusal.Said
		return nil
	}
	if err != nil {
		return err
	}
	defer t.Close()
	s := t.Status()
	i.Admitted, i.Said = true, t.started
	i.On, i.Wants = append(i.On, s.On...), append(i.Wants, s.Wants...)
	i.Grants, i.Topics = append(i.Grants, s.Grants...), append(i.Topics, s.Topics...)
	i.FuelLimit, i.MemoryLimitBytes = s.FuelLimit, s.MemoryLimit
	if all := t.host.Status(); len(all) > 1 && setup.whole {
		i.On, i.Wants, i.Grants, i.Topics = []string{}, []string{}, []string{}, []string{}
		for _, s := range all {
			i.Plugins = append(i.Plugins, Inspected{s.Name, s.Refused == "", s.Refused, s.On, s.Wants, s.Grants, s.Topics})
			if s.Refused != "" {
				i.Admitted, i.Refused = false, s.Refused
			}
		}
	}
	return nil
}

// Refusal is the inspection's result as an error, nil if the router admits the
// plugin.
func (i *Inspection) Refusal() error {
	if i.Admitted {
		return nil
	}
	return &Refusal{i.Refused, i.Said}
}
