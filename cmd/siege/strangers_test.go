package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStrangers is their siege in brief: an attack of each kind.
func TestStrangers(t *testing.T) {
	root := filepath.Join("..", "..")
	stock, err := buildStock(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	p := strangers{
		root: root, users: 20, span: 2 * time.Second, progress: testLog{t}, files: map[string][]byte{stockFile: stock},
		only: []string{"a tenant's extremes", "stale tokens for tickets", "corrupt compression", "subscribe storms"},
	}
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.wrong()...); err != nil {
		t.Error(err)
	}
	tables := r.tables()
	for _, want := range append(p.only, "20 users and 100 notifications per second, ") {
		if !strings.Contains(tables, want) {
			t.Errorf("the tables lack %q:\n%s", want, tables)
		}
	}
	for _, o := range r.rows {
		if o.tickets.count.Load() != 20 || o.name == "stale tokens for tickets" && o.strangers == 0 || o.asked < 20 {
			t.Errorf("%s: %d tickets, %d questions, %d about strangers", o.name, o.tickets.count.Load(), o.asked, o.strangers)
		}
	}
	p.only = []string{"nobody", "no such attack"}
	if _, err := p.run(t.Context()); err == nil {
		t.Error("an unknown attack is none")
	}
}

// What goes wrong in an attack is found.
func TestWrongOfStrangersIsFound(t *testing.T) {
	heard := new(histogram)
	heard.add(time.Millisecond)
	good := ordeal{name: "a", tickets: new(histogram), delivery: heard, peak: 16, strangers: 40, most: 40, took: time.Second}
	r := siegeOfStrangers{maxRequests: 16, rows: []ordeal{good}}
	if errs := r.wrong(); errs != nil {
		t.Errorf("%v", errs)
	}
	for want, change := range map[string]func(o *ordeal){
		"a: 3 honest users were refused; the last: why":                                         func(o *ordeal) { o.refused, o.reason = 3, "why" },
		"a: 1 publications were lost, 2 went astray":                                            func(o *ordeal) { o.lost, o.astray = 1, 2 },
		"a: nobody heard anything":                                                              func(o *ordeal) { o.delivery = new(histogram) },
		"a: 17 questions to Keystone at the same time, over the limit of 16":                    func(o *ordeal) { o.peak = 17 },
		"a: 41 questions to Keystone about strangers in 1.0 s, over the limit of 20 per second": func(o *ordeal) { o.strangers = 41 },
	} {
		bad := good
		change(&bad)
		r.rows = []ordeal{bad}
		if err := errors.Join(r.wrong()...); err == nil || err.Error() != want {
			t.Errorf("got %v, not %s", err, want)
		}
	}
	r.rows, r.goroutines = nil, 2
	if err := errors.Join(r.wrong()...); err == nil || err.Error() != "2 goroutines are left over" {
		t.Errorf("got %v", err)
	}
}

// Users notice what is lost, and what is not theirs.
func TestUsersCount(t *testing.T) {
	c := newCrowd(newLedger())
	u := &user{crowd: c, project: 3, last: -1}
	for _, serial := range []uint64{11, 19, 35, 36} {
		u.hear([]byte(`{"push":{"channel":"project/x/instances","pub":{"data":{"id":"` + serialID(serial) + `"}}}}`))
	}
	if c.lost.Load() != 1 || c.astray.Load() != 1 || u.missing(43) != 1 || u.missing(35) != 0 {
		t.Errorf("%d lost, %d astray, %d missing", c.lost.Load(), c.astray.Load(), u.missing(43))
	}
}
