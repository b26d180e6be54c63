package plugin

import (
	"context"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Run watches the folder until ctx is over, and swaps in a new set whenever the
// files have changed and are at rest: the folder must look the same twice, settle
// apart, so no half-written file is read. A folder that vanishes changes nothing
// until it is back.
//
// # Errors
//
// None; what goes wrong with a file is logged.
func (h *Host) Run(ctx context.Context) error {
	h.reloading.Lock()
	h.reloader.remembers = true
	h.reloader.remember()
	h.reloading.Unlock()
	w := folderWatch{host: h}
	return w.run(ctx, true)
}

// folderWatch is what Run remembers of the folder.
type folderWatch struct {
	host    *Host
	watcher *fsnotify.Watcher
	settle  *time.Timer
	// last is the folder's stamp at the last rescan, since when it began to
	// change; zero while it is at rest.
	last  string
	since time.Time
	// trouble is the last error, so that it is logged once.
	trouble string
}

// run is Run, with or without the system's file notifications.
func (w *folderWatch) run(ctx context.Context, notified bool) error {
	h := w.host
	w.settle = time.NewTimer(h.cfg.Settle)
	defer w.settle.Stop()
	var signs <-chan fsnotify.Event
	var troubles <-chan error
	if notified {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			h.log.Warn("the folder of plugins is only polled", "every", h.cfg.Rescan, "error", err)
			return w.run(ctx, false)
		}
		defer watcher.Close()
		w.watcher, signs, troubles = watcher, watcher.Events, watcher.Errors
	}
	rescan := time.NewTicker(h.cfg.Rescan)
	defer rescan.Stop()
	w.rescan(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-signs:
			if e.Op != fsnotify.Chmod && (strings.HasSuffix(e.Name, ".wasm") || strings.HasSuffix(e.Name, ".sig")) {
				w.disturbed()
			}
		case err := <-troubles:
			h.log.Warn("the watch on the folder of plugins lost something; it is read again", "error", err)
			w.disturbed()
		case <-w.settle.C:
			w.rescan(ctx)
		case <-rescan.C:
			w.rescan(ctx)
		}
	}
}

// maxRestless bounds, in settle times, how long to wait for a folder that keeps
// changing.
const maxRestless = 40

// disturbed starts to wait for the folder to come to rest.
func (w *folderWatch) disturbed() {
	now := w.host.now()
	if w.since.IsZero() {
		w.since = now
	}
	if now.Sub(w.since) < maxRestless*w.host.cfg.Settle {
		w.settle.Reset(w.host.cfg.Settle)
	}
}

// rescan loads the folder if it is not as loaded and looks the same as the last
// time. It also forgets plugins that have been gone for long.
func (w *folderWatch) rescan(ctx context.Context) {
	h := w.host
	if w.watcher != nil {
		// Each time, as the folder may have been replaced.
		_ = w.watcher.Add(h.cfg.Dir)
	}
	h.reloading.Lock()
	defer h.reloading.Unlock()
	h.records.forget(h.current.load().present())
	files, err := h.reloader.scan()
	if err == nil {
		stamp := stampOf(files)
		quiet := stamp == w.last
		w.last = stamp
		if stamp == h.reloader.seen && !h.current.load().released() {
			w.since = time.Time{}
		} else if !quiet {
			w.disturbed()
		} else {
			w.since = time.Time{}
			err = h.reload(ctx)
		}
	}
	w.complain(ctx, err)
}

func (w *folderWatch) complain(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil {
		text = err.Error()
	}
	if text != "" && text != w.trouble {
		w.host.log.Error("could not read the plugins again; those loaded go on running", "error", text)
	}
	w.trouble = text
}
