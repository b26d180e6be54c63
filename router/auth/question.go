package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

const (
	// strangersPerSecond is how often Keystone is asked about tokens of strangers,
	// of all of them together.
	strangersPerSecond = 20
	// questionLimit is when a question is given up. No proxy before Keystone and no
	// WSGI server lets one run that long.
	questionLimit = 2 * time.Minute
)

// errLockedOut says that an address has sent too many refused tokens.
var errLockedOut = fmt.Errorf("%w: too many refused tokens from this address", ErrUnavailable)

// Why Keystone could not be asked in time.
var (
	errNoSlot = errors.New("no slot to ask Keystone")
	errNoTurn = errors.New("no turn to ask Keystone about a stranger's token")
)

// question is one that Keystone is being asked, for all who want the answer.
type question struct {
	done chan struct{} // closed when id and err are there
	id   *Identity
	err  error
}

// slots bounds how many questions run at the same time. Strangers' may take only a
// few of them, at a slow pace, so that the others always have theirs.
type slots struct {
	all, strangers chan struct{}
	pace           *rate.Limiter
}

func newSlots(n int) slots {
	return slots{
		all: make(chan struct{}, n), strangers: make(chan struct{}, max(n/4, 1)),
		pace: rate.NewLimiter(strangersPerSecond, 1),
	}
}

// slot waits until Keystone may be asked for a source, and returns what ends its
// use. Of strangers' sources each has one question at a time in the queue, so that
// they take turns; when the first token is found good, the others need not queue.
func (k *keystone) slot(ctx context.Context, from *source) (release func(), err error) {
	for {
		if k.sources.trusted(from) {
			if !acquire(ctx, k.slots.all) {
				return nil, errNoSlot
			}
			if k.sources.trusted(from) {
				return func() { <-k.slots.all }, nil
			}
			<-k.slots.all
		}
		turn := from.turn
		if from.backend && from.via != nil {
			turn = from.via.turn
		}
		if !acquire(ctx, turn) {
			return nil, errNoTurn
		}
		if k.sources.trusted(from) {
			<-turn
			continue
		}
		if k.slots.pace.Wait(ctx) == nil && acquire(ctx, k.slots.strangers) {
			if acquire(ctx, k.slots.all) {
				return func() { <-k.slots.all; <-k.slots.strangers; <-turn }, nil
			}
			<-k.slots.strangers
		}
		<-turn
		return nil, errNoTurn
	}
}

// acquire reports whether it got the slot before ctx was done.
func acquire(ctx context.Context, slot chan struct{}) bool {
	select {
	case slot <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin joins the question about a token that is under way, or starts one. A
// question that has just been answered is not asked again.
func (k *keystone) begin(from *source, key tokenKey, token string) (*question, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if q := k.asking[key]; q != nil {
		return q, nil
	}
	// The question that a caller missed by a moment has left its answer here.
	if id, err := k.cache.get(key); id != nil || err != nil {
		q := &question{done: make(chan struct{}), id: id, err: err}
		close(q.done)
		return q, nil
	}
	if k.base.Err() != nil {
		return nil, fmt.Errorf("%w: the router is stopping", ErrUnavailable)
	}
	if !k.sources.enter(from) {
		k.metric.limit(limitStrangers)
		return nil, fmt.Errorf("%w: too many tokens from this address wait for Keystone", ErrUnavailable)
	}
	q := &question{done: make(chan struct{})}
	k.asking[key] = q
	k.work.Go(func() {
		q.id, q.err = k.ask(from, key, token)
		k.mu.Lock()
		delete(k.asking, key)
		k.mu.Unlock()
		close(q.done)
	})
	return q, nil
}

// ask asks Keystone and keeps the answer. If a matching revocation came meanwhile,
// the answer may be older than the change, and Keystone is asked again. The slot
// is held until Keystone has answered, however long the callers wait.
func (k *keystone) ask(from *source, key tokenKey, token string) (*Identity, error) {
	ctx, cancel := context.WithTimeout(k.base, k.cfg.Keystone.Timeout)
	defer cancel()
	release, err := k.slot(ctx, from)
	k.sources.leave(from)
	if err != nil {
		limit := limitRequests
		if errors.Is(err, errNoTurn) {
			limit = limitStrangers
		}
		k.metric.limit(limit)
		return nil, fmt.Errorf("%w: %w within %s; [auth.keystone] max_requests is %d",
			ErrUnavailable, err, k.cfg.Keystone.Timeout, k.cfg.Keystone.MaxRequests)
	}
	defer release()
	const tries = 3
	for try := 1; ; try++ {
		since := k.cache.asking()
		asked := k.now()
		id, err := k.validate(k.base, token)
		if err != nil {
			if !errors.Is(err, ErrUnavailable) {
				k.cache.refuse(key, err)
				k.sources.judged(from, false)
			}
			return nil, err
		}
		id.proof.recheck = asked.Add(k.cfg.Keystone.CacheTTL)
		if id = k.cache.put(key, id, since, try == tries); id != nil {
			k.sources.judged(from, true)
			return id, nil
		}
	}
}
