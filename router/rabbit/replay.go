package rabbit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine bounds a line of a recording, in bytes.
const maxLine = 64 << 20

// ReplayConfig says where a recording is published, and how fast. At most one of
// Rate and Speed is set; with neither, it goes as fast as RabbitMQ confirms.
type ReplayConfig struct {
	// URL is one broker, in the syntax of Config.URLs.
	URL string
	TLS TLSConfig
	// Rate is in notifications a second.
	Rate float64
	// Speed is how many recorded seconds pass in one: 1 is recorded time.
	Speed float64
	// Declare makes missing exchanges, as services do.
	Declare bool
}

// ReplayReport is how far a replay has come.
type ReplayReport struct {
	// Published notifications were sent, Confirmed ones accepted by RabbitMQ.
	Published, Confirmed int
	// Bytes is the sum of the published bodies.
	Bytes int64
	// Exchanges counts Published by exchange.
	Exchanges map[string]int
	Elapsed   time.Duration
}

// Replay publishes a recording, one JSON object a line (Recorded), in its order.
// progress, which may be nil, is called from time to time and at the end, with
// a report that it must not keep.
//
// # Errors
//
// A line that is not a recorded notification, an exchange that does not exist,
// ctx has ended, the broker went away. The report says how far it came; errors
// about a line start with its number.
func Replay(ctx context.Context, cfg ReplayConfig, recording io.Reader, progress func(ReplayReport)) (ReplayReport, error) {
	switch {
	case cfg.Rate < 0 || cfg.Speed < 0:
		return ReplayReport{}, errors.New("replay: rate and speed cannot be negative")
	case cfg.Rate > 0 && cfg.Speed > 0:
		return ReplayReport{}, errors.New("replay: a rate and a speed exclude each other; give one")
	}
	p, err := DialPublisher(ctx, cfg.URL, cfg.TLS, cfg.Declare)
	if err != nil {
		return ReplayReport{}, fmt.Errorf("replay: %w", err)
	}
	defer p.Close()
	// A publish to a broker short of memory waits in the socket, not for ctx.
	defer context.AfterFunc(ctx, func() { p.link.socket.Close() })()
	r := &replay{cfg: cfg, publisher: p, progress: progress, started: time.Now(),
		report: ReplayReport{Exchanges: make(map[string]int)}}
	err = r.run(ctx, recording)
	if err == nil {
		err = p.Flush(ctx)
	}
	r.tell()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // and not what closing the socket led to
	}
	if err != nil {
		return r.report, fmt.Errorf("replay: %w", err)
	}
	return r.report, nil
}

type replay struct {
	cfg       ReplayConfig
	publisher *Publisher
	progress  func(ReplayReport)
	report    ReplayReport
	started   time.Time
	told      time.Time
	first     float64 // when the first notification was recorded
}

func (r *replay) run(ctx context.Context, recording io.Reader) error {
	lines := bufio.NewScanner(recording)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	number := 1
	for ; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := r.publish(ctx, line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if time.Since(r.told) > time.Second {
			r.tell()
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number, err)
	}
	return nil
}

func (r *replay) publish(ctx context.Context, line []byte) error {
	notification, err := ParseRecorded(line)
	if err != nil {
		return err
	}
	if err := r.pace(ctx, notification.Received); err != nil {
		return err
	}
	if err := r.publisher.Publish(ctx, &notification); err != nil {
		return err
	}
	r.report.Published++
	r.report.Bytes += int64(len(notification.Body))
	r.report.Exchanges[notification.Exchange]++
	return nil
}

// pace waits until it is time for the next notification.
func (r *replay) pace(ctx context.Context, received float64) error {
	var at float64 // seconds after the start
	switch {
	case r.cfg.Rate > 0:
		at = float64(r.report.Published) / r.cfg.Rate
	case r.cfg.Speed > 0:
		if r.report.Published == 0 {
			r.first = received
		}
		at = (received - r.first) / r.cfg.Speed
	}
	wait := time.Duration(at*float64(time.Second)) - time.Since(r.started)
	if wait <= 0 {
		return ctx.Err()
	}
	if wait > time.Second {
		r.tell()
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *replay) tell() {
	r.told = time.Now()
	r.report.Confirmed = r.publisher.Confirmed()
	r.report.Elapsed = time.Since(r.started)
	if r.progress != nil {
		r.progress(r.report)
	}
}
