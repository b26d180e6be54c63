package main

import (
	"fmt"
	"time"
)

// result is what a siege found out.
type result struct {
	rate int
	// way is how they came, in words.
	way     string
	rows    []row
	reloads *reloads
	// resident is the process's memory after the last plugin, relative to before the
	// first.
	resident float64
	// Of the whole siege.
	published, delivered, doubled, astray uint64
	took                                  time.Duration
}

// wrong lists what must never happen and did.
func (r *result) wrong() (errs []error) {
	for _, row := range r.rows {
		errs = append(errs, row.wrong, row.cost.wrong(row.name))
	}
	if r.reloads != nil {
		errs = append(errs, r.reloads.cost.wrong("the reloads"))
		if n := r.reloads.goroutines; n > 0 {
			errs = append(errs, fmt.Errorf("the reloads: %d goroutines are left over", n))
		}
	}
	if r.delivered != r.published || r.doubled > 0 || r.astray > 0 {
		errs = append(errs, fmt.Errorf("all in all: %d published, %d delivered, %d doubled, %d astray", r.published, r.delivered, r.doubled, r.astray))
	}
	return errs
}

func (c *cost) wrong(during string) error {
	if c.sent == 0 {
		return fmt.Errorf("%s: nothing was published meanwhile", during)
	}
	if c.lost > 0 || c.doubled > 0 || c.astray > 0 {
		return fmt.Errorf("%s: of %d deliveries %d were lost, %d doubled, %d astray", during, c.sent, c.lost, c.doubled, c.astray)
	}
	return nil
}

// worst are the highest figures of any row.
func (r *result) worst() (p99, slowest, pause time.Duration, resident float64) {
	for _, row := range r.rows {
		p99, slowest = max(p99, row.p99), max(slowest, row.slowest)
		pause, resident = max(pause, row.pause), max(resident, row.resident)
	}
	return
}
