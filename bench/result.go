package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is one row: our figure, the peer's, and ours divided by the peer's.
type result struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	Ratio    float64 `json:"ratio"`
}

// row builds a result. A goal that has no peer program is given as the peer.
func row(name, unit string, ours, peer float64, peerName string) result {
	r := result{Name: name, Unit: unit, Ours: round(ours), Peer: round(peer), PeerName: peerName}
	if peer != 0 {
		r.Ratio = round(ours / peer)
	}
	return r
}

// round keeps three significant digits: the rest is noise.
func round(x float64) (r float64) {
	fmt.Sscanf(fmt.Sprintf("%.3g", x), "%g", &r)
	return r
}

func writeTable(w io.Writer, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "measured\tunit\tours\tpeer\tratio\tthe peer")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%g\t%g\t%.2f\t%s\n", r.Name, r.Unit, r.Ours, r.Peer, r.Ratio, r.PeerName)
	}
	t.Flush()
}

func readJSON(path string) (results []result, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return results, json.Unmarshal(text, &results)
}

// replace puts the new rows in place of the old ones of the same names, and those
// without one at the end.
func replace(old, new []result) []result {
	for _, r := range new {
		same := func(o result) bool { return o.Name == r.Name && o.PeerName == r.PeerName }
		if i := slices.IndexFunc(old, same); i >= 0 {
			old[i] = r
		} else {
			old = append(old, r)
		}
	}
	return old
}

func writeJSON(path string, results []result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// The table in README.md stands between these lines.
const (
	tableBegin = "<!-- results: written by make bench -->\n"
	tableEnd   = "<!-- end of results -->\n"
)

// writeMarkdown puts the table between the two marks of a file.
func writeMarkdown(path string, results []result) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read where the table goes: %w", err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		return fmt.Errorf("%s has no lines %q and %q for the table to stand between", path, tableBegin, tableEnd)
	}
	var b strings.Builder
	b.WriteString(before + tableBegin)
	b.WriteString("| measured | unit | ours | peer | ratio | the peer |\n|---|---|---:|---:|---:|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %g | %g | %.2f | %s |\n", r.Name, r.Unit, r.Ours, r.Peer, r.Ratio, r.PeerName)
	}
	b.WriteString(tableEnd + after)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
