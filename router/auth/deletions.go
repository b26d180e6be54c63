package auth

import (
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxDeletions bounds how many deleted ids are remembered.
const maxDeletions = 10000

// deletions remembers which users, projects and domains were deleted, and when. A
// JWT cannot be revoked; this keeps one from outliving its owner. The memory ends
// with the process; after that only the token's own expiry counts.
type deletions struct {
	metric *metrics
	now    func() time.Time

	mu   sync.RWMutex
	when bounded[string, time.Time]
}

func newDeletions(m *metrics, now func() time.Time) *deletions {
	return &deletions{metric: m, now: now, when: newBounded[string, time.Time](maxDeletions)}
}

func (d *deletions) add(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, full := d.when.put(id, d.now()); full {
		d.metric.limit(limitDeletions)
	}
}

// covers reports whether id was deleted after a token was issued. A token that
// does not say when (nil) counts as older.
func (d *deletions) covers(id string, issued *jwt.NumericDate) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	when, deleted := d.when.get(id)
	return deleted && (issued == nil || !issued.After(when))
}
