package main

import (
	"bytes"
	"encoding/json"
	"sync"
)

// logBook is the router's log. It keeps the last error about each plugin. Its
// methods may be called concurrently.
type logBook struct {
	mu     sync.Mutex
	errors map[string]string
}

// Write implements io.Writer; it is handed a line of JSON at a time.
func (b *logBook) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte(`"level":"ERROR"`)) {
		return len(p), nil
	}
	var line struct{ Plugin, Error string }
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.errors == nil {
		b.errors = make(map[string]string)
	}
	b.errors[line.Plugin] = line.Error
	return len(p), nil
}

// about is the last error that was logged about a plugin.
func (b *logBook) about(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errors[name]
}
