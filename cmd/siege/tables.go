package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// tables is the result as Markdown.
func (r *result) tables() string {
	var b strings.Builder
	p99, slowest, pause, resident := r.worst()
	fmt.Fprintf(&b, "%d notifications per second %s, %d cores; %d published in %.0f s, %d delivered, %d doubled, %d astray. The worst of all rows: "+
		"p99 %s, slowest %s, pause of the collector %s, memory %s. Memory after the last plugin, against before the first: %s.\n\n",
		r.rate, r.way, runtime.NumCPU(), r.published, r.took.Seconds(), r.delivered, r.doubled, r.astray,
		milliseconds(p99), milliseconds(slowest), milliseconds(pause), percent(resident), percent(r.resident))
	b.WriteString("| plugin | verdict after | p99 | slowest | pause | memory | lost, doubled, astray | what the operator reads |\n|---|--:|--:|--:|--:|--:|--:|---|\n")
	for _, row := range r.rows {
		sees := row.sees
		if row.wrong != nil {
			sees = "WRONG: " + row.wrong.Error()
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.name, milliseconds(row.verdict), row.cost.cells(row.resident), escape(sees))
	}
	if re := r.reloads; re != nil {
		fmt.Fprintf(&b, "\n| replaced under traffic | p99 | slowest | pause | memory | lost, doubled, astray | goroutines left over |\n"+
			"|---|--:|--:|--:|--:|--:|--:|\n| %d times in %.0f s | %s | %d |\n", re.count, re.took.Seconds(), re.cost.cells(re.resident), re.goroutines)
	}
	return b.String()
}

// cells are the columns that both tables have.
func (c *cost) cells(resident float64) string {
	return fmt.Sprintf("%s | %s | %s | %s | %d, %d, %d of %d", milliseconds(c.p99), milliseconds(c.slowest),
		milliseconds(c.pause), percent(resident), c.lost, c.doubled, c.astray, c.sent)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

// percent is how far a ratio is from 1.
func percent(ratio float64) string { return fmt.Sprintf("%+.0f %%", (ratio-1)*100) }

// escape keeps a sentence within its cell.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

// The tables of a command stand between a line that names it and this one.
const tablesEnd = "<!-- end of the tables -->\n"

func tablesBegin(command string) string {
	return "<!-- go run ./cmd/siege " + command + " -write -->\n"
}

// writeTables puts the tables of a command into their place in the file at path.
//
// # Errors
//
// The file has no such place, or cannot be written.
func writeTables(path, command, tables string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	begin := tablesBegin(command)
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(tablesEnd))
	if !found || !closed {
		return fmt.Errorf("write the tables: %s has no lines %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(tablesEnd))
	}
	text = fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, begin, tables, tablesEnd, after)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	return nil
}
