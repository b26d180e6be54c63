package plugin

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// maxLogLine bounds a line that a filter writes, in bytes; the rest is cut off.
const maxLogLine = 1024

// guestLog takes what all instances of one plugin write to the log, whether by
// the import `log` or to stdout and stderr, and lets through only so much. It
// is safe for concurrent use.
type guestLog struct {
	log          *slog.Logger
	lines, bytes *rate.Limiter
	dropped      atomic.Uint64
	// untold is how many lines were dropped since the last one let through.
	untold atomic.Uint64
}

func newGuestLog(log *slog.Logger, name string, c Config) *guestLog {
	return &guestLog{
		log:   log.With("plugin", name),
		lines: rate.NewLimiter(rate.Limit(c.LogLinesPerSecond), c.LogLinesPerSecond),
		bytes: rate.NewLimiter(rate.Limit(c.LogBytesPerSecond), max(c.LogBytesPerSecond, maxLogLine)),
	}
}

// write logs one line, at the level, if the rates allow it.
func (g *guestLog) write(level slog.Level, line []byte, messageID string) {
	if !g.log.Enabled(context.Background(), level) {
		return
	}
	line = line[:min(len(line), maxLogLine)]
	now := time.Now()
	if !g.lines.AllowN(now, 1) || !g.bytes.AllowN(now, len(line)) {
		g.dropped.Add(1)
		g.untold.Add(1)
		return
	}
	attrs := make([]slog.Attr, 0, 2)
	if messageID != "" {
		attrs = append(attrs, slog.String("message_id", strings.Clone(messageID)))
	}
	if n := g.untold.Swap(0); n > 0 {
		attrs = append(attrs, slog.Uint64("dropped_lines", n))
	}
	g.log.LogAttrs(context.Background(), level, strings.ToValidUTF8(string(line), "\uFFFD"), attrs...)
}

// lineBuffer cuts a stream into lines. A line without end is passed on when it
// is as long as a line can be.
type lineBuffer struct {
	pending []byte
	emit    func(line []byte)
}

func (b *lineBuffer) write(p []byte) {
	for _, c := range p {
		if c != '\n' {
			b.pending = append(b.pending, c)
			if len(b.pending) < maxLogLine {
				continue
			}
		}
		b.flush()
	}
}

func (b *lineBuffer) flush() {
	if len(b.pending) > 0 {
		b.emit(b.pending)
	}
	b.pending = b.pending[:0]
}
