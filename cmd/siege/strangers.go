package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"horizon-realtime/plugins"
	"horizon-realtime/router"
)

// strangers is a siege by people: tenants, users and those without an account,
// while honest users log in and listen. Keystone takes its time for each answer.
type strangers struct {
	root   string
	rabbit bool
	// only are the attacks' names; nil for all.
	only     []string
	users    int           // the honest
	span     time.Duration // of each attack
	progress io.Writer
	// files are the plugins; nil: the stock set.
	files map[string][]byte
}

const (
	honestPerSecond = 100 // notifications
	// placesForClients is [server] max_connections.
	placesForClients = 300
	// strangersPerSecond is how often Keystone may be asked about strangers.
	strangersPerSecond = 20
)

// ordeal is what the honest noticed of an attack, and what Keystone did.
type ordeal struct {
	name                   string
	tickets                *histogram
	delivery               *histogram
	refused, lost, astray  int64
	reason                 string
	asked, strangers, peak int
	most                   int // questions about strangers that there may be
	took                   time.Duration
}

// siegeOfStrangers is what all attacks came to.
type siegeOfStrangers struct {
	rows  []ordeal
	users int
	// maxRequests is how many questions Keystone may get at the same time.
	maxRequests int
	// goroutines are left over after the last attack; resident is the process's
	// memory then, relative to before the first.
	goroutines int
	resident   float64
}

// run is the whole siege.
//
// # Errors
//
// The router does not start, or there is no attack of that name.
func (p *strangers) run(ctx context.Context) (_ *siegeOfStrangers, err error) {
	attacks := attacksOfStrangers()
	if p.only != nil {
		all := len(attacks)
		attacks = slices.DeleteFunc(attacks, func(a attackOfStrangers) bool { return !slices.Contains(p.only, a.name) })
		if len(attacks) != len(p.only) {
			return nil, fmt.Errorf("%d of the %d names are those of the %d attacks", len(attacks), len(p.only), all)
		}
	}
	stock := plugins.Stock
	if p.files != nil {
		stock = nil
	} else if stock() == nil {
		return nil, errors.New("the stock plugins are not built; `make plugins` does that")
	}
	maxRequests := 0
	k := newKeystone()
	defer k.Close()
	b, err := besiege(ctx, ground{
		root: p.root, rate: honestPerSecond, rabbit: p.rabbit, files: p.files,
		configure: func(c *router.Config) {
			c.Plugins.Stock, c.Auth.Keystone.URL, maxRequests = stock, k.URL, c.Auth.Keystone.MaxRequests
			c.Server.MaxConnections, c.Server.Compression = placesForClients, true
		},
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	s := newScene(b)
	p.attack(ctx, s, k, attackOfStrangers{"warming up", func(ctx context.Context, _ *scene) { <-ctx.Done() }})
	k.rest()
	memory, routines := settledBytes(), runtime.NumGoroutine()
	result := &siegeOfStrangers{users: p.users, maxRequests: maxRequests}
	for _, a := range attacks {
		fmt.Fprintf(p.progress, "%s\n", a.name)
		result.rows = append(result.rows, p.attack(ctx, s, k, a))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	s.client.CloseIdleConnections()
	k.rest()
	result.goroutines = goroutinesBeyond(routines)
	result.resident = float64(settledBytes()) / float64(memory)
	return result, nil
}

// attack lets one attack go on for the span while the honest log in, one after the
// other, and stay.
func (p *strangers) attack(ctx context.Context, s *scene, k *keystone, a attackOfStrangers) ordeal {
	o := ordeal{name: a.name, delivery: new(histogram)}
	c := newCrowd(s.b.ledger)
	o.tickets = c.tickets
	s.b.ledger.latency.Store(o.delivery)
	k.reset()
	began := time.Now()
	attackCtx, stop := context.WithCancel(ctx)
	var attack sync.WaitGroup
	attack.Go(func() { a.run(attackCtx, s) })
	users := make([]*user, p.users)
	var logins sync.WaitGroup
	s.round++
	for i := range users {
		_ = wait(ctx, time.Until(began.Add(p.span*3/4*time.Duration(i)/time.Duration(p.users))))
		logins.Go(func() {
			if u, ok := c.login(ctx, s.address, fmt.Sprintf("user%dof%d", i, s.round), i%projects); ok {
				users[i] = u
			}
		})
	}
	logins.Wait()
	_ = wait(ctx, time.Until(began.Add(p.span)))
	published := s.b.ledger.published.Load()
	o.took = time.Since(began)
	o.asked, o.strangers, o.peak = k.counts()
	o.most = strangersPerSecond + int(strangersPerSecond*o.took.Seconds())
	var farewells sync.WaitGroup
	for _, u := range users {
		if u != nil {
			farewells.Go(func() { u.leave(published) })
		}
	}
	farewells.Wait()
	stop()
	attack.Wait()
	o.refused, o.lost, o.astray = c.refused.Load(), c.lost.Load(), c.astray.Load()
	if r := c.reason.Load(); r != nil {
		o.reason = *r
	}
	return o
}

// wrong lists what must never happen and did. How long something takes depends on
// the machine as well.
func (r *siegeOfStrangers) wrong() (errs []error) {
	for _, o := range r.rows {
		if o.refused > 0 {
			errs = append(errs, fmt.Errorf("%s: %d honest users were refused; the last: %s", o.name, o.refused, o.reason))
		}
		if o.lost > 0 || o.astray > 0 {
			errs = append(errs, fmt.Errorf("%s: %d publications were lost, %d went astray", o.name, o.lost, o.astray))
		}
		if o.delivery.count.Load() == 0 {
			errs = append(errs, fmt.Errorf("%s: nobody heard anything", o.name))
		}
		if o.peak > r.maxRequests {
			errs = append(errs, fmt.Errorf("%s: %d questions to Keystone at the same time, over the limit of %d", o.name, o.peak, r.maxRequests))
		}
		if o.strangers > o.most {
			errs = append(errs, fmt.Errorf("%s: %d questions to Keystone about strangers in %.1f s, over the limit of %d per second", o.name, o.strangers, o.took.Seconds(), strangersPerSecond))
		}
	}
	if r.goroutines > 0 {
		errs = append(errs, fmt.Errorf("%d goroutines are left over", r.goroutines))
	}
	return errs
}

// The goals for what depends on the machine.
const (
	ticketGoal   = time.Second
	deliveryGoal = 20 * time.Millisecond
)

// tables is the result as Markdown.
func (r *siegeOfStrangers) tables() string {
	var b strings.Builder
	var ticket, delivery time.Duration
	for _, o := range r.rows {
		ticket, delivery = max(ticket, o.tickets.highest()), max(delivery, o.delivery.quantile(0.99))
	}
	fmt.Fprintf(&b, "%d users and %d notifications per second, %d cores, Keystone answers in %s. The worst of all rows: ticket after %s (goal: %s), "+
		"p99 of deliveries %s (goal: %s). Memory after the last attack, against before the first: %s.\n\n", r.users, honestPerSecond, runtime.NumCPU(), answerTime,
		milliseconds(ticket), milliseconds(ticketGoal), milliseconds(delivery), milliseconds(deliveryGoal), percent(r.resident))
	b.WriteString("| attack | tickets: p50 | p99 | slowest | refused | deliveries: p99 | lost, astray | Keystone per second | of strangers | at once |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, o := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %s | %d, %d of %d | %.0f | %.1f | %d |\n", o.name, milliseconds(o.tickets.quantile(0.5)), milliseconds(o.tickets.quantile(0.99)),
			milliseconds(o.tickets.highest()), o.refused, milliseconds(o.delivery.quantile(0.99)), o.lost, o.astray, o.delivery.count.Load(),
			float64(o.asked)/o.took.Seconds(), float64(o.strangers)/o.took.Seconds(), o.peak)
	}
	return b.String()
}
