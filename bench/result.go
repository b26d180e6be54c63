package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
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

func writeJSON(path string, results []result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
