package auth

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// RefusalLog logs what strangers can cause: ten lines at once and one per second
// in the long run. The next line has the number of those left out. It is safe for
// concurrent use.
type RefusalLog struct {
	log     *slog.Logger
	allowed *rate.Limiter
	skipped atomic.Int64
}

// NewRefusalLog makes a RefusalLog that writes to log.
func NewRefusalLog(log *slog.Logger) *RefusalLog {
	return &RefusalLog{log: log, allowed: rate.NewLimiter(rate.Every(time.Second), 10)}
}

// Log writes a line, or counts it as left out.
func (l *RefusalLog) Log(level slog.Level, text string, args ...any) {
	if !l.allowed.Allow() {
		l.skipped.Add(1)
		return
	}
	if n := l.skipped.Swap(0); n > 0 {
		args = append(args, "skipped", n)
	}
	l.log.Log(context.Background(), level, text, args...)
}
