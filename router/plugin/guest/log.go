package guest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// maxLogLine bounds a line that a guest writes, in bytes; the rest is cut off.
const maxLogLine = 1024

// Log takes what all instances of one plugin write, by the import `log` or to
// stdout and stderr, and passes only so much of it on. It is safe for concurrent
// use.
type Log struct {
	log          *slog.Logger
	lines, bytes *rate.Limiter
	dropped      atomic.Uint64
	// unreported is how many lines were dropped since the last one that passed.
	unreported atomic.Uint64
}

// NewLog makes one that writes at most so many lines and bytes per second to
// log.
func NewLog(log *slog.Logger, lines, bytes int) *Log {
	return &Log{
		log:   log,
		lines: rate.NewLimiter(rate.Limit(lines), lines),
		bytes: rate.NewLimiter(rate.Limit(bytes), max(bytes, maxLogLine)),
	}
}

// Dropped is how many lines were over the rates.
func (l *Log) Dropped() uint64 { return l.dropped.Load() }

// write logs one line, at the level, if the rates allow it.
func (l *Log) write(level slog.Level, line []byte, messageID string) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	line = line[:min(len(line), maxLogLine)]
	now := time.Now()
	if !l.lines.AllowN(now, 1) || !l.bytes.AllowN(now, len(line)) {
		l.dropped.Add(1)
		l.unreported.Add(1)
		return
	}
	attrs := make([]slog.Attr, 0, 2)
	if messageID != "" {
		attrs = append(attrs, slog.String("message_id", strings.Clone(messageID)))
	}
	if n := l.unreported.Swap(0); n > 0 {
		attrs = append(attrs, slog.Uint64("dropped_lines", n))
	}
	l.log.LogAttrs(context.Background(), level, strings.ToValidUTF8(string(line), "\uFFFD"), attrs...)
}

// lineBuffer splits a stream into lines. A line is passed on when it ends or is as
// long as a line may be.
type lineBuffer struct {
	pending []byte
	emit    func(line []byte)
}

// take adds text up to the end of its first line, and returns how much of it that
// is, and whether the line is to be passed on.
func (b *lineBuffer) take(text []byte) (n int, whole bool) {
	room := maxLogLine - len(b.pending)
	n = min(len(text), room)
	if end := bytes.IndexByte(text[:n], '\n'); end >= 0 {
		b.pending = append(b.pending, text[:end]...)
		return end + 1, true
	}
	b.pending = append(b.pending, text[:n]...)
	return n, n == room
}

// flush passes the line on, unless it is empty.
func (b *lineBuffer) flush() {
	if len(b.pending) > 0 {
		b.emit(b.pending)
	}
	b.pending = b.pending[:0]
}
