package plugin

import (
	"context"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Run watches the folder until ctx is over, and swaps in a new set whenever
// the files have changed and then stood still. What is being written is left
// alone: the folder must look the same twice, settle apart. A folder that
// vanishes changes nothing until it is back. Runners are the caller's, and so
// is Close.
//
// # Errors
//
// None; what goes wrong with a file is logged.
func (h *Host) Run(ctx context.Context) error {
	w := folderWatch{host: h}
	return w.run(ctx, true)
}

// folderWatch is what Run remembers of the folder.
type folderWatch struct {
	host    *Host
	watcher *fsnotify.Watcher
	settle  *time.Timer
	// last is what the folder looked like the last time, and since when it
	// has been restless.
	last  string
	since time.Time
	// trouble is the last error, so that it is logged once.
	trouble string
}

// run is Run; unless notified, it does without the system's file notifications.
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

// maxRestless bounds, in settle times, how long a folder that never stands
// still is waited for.
const maxRestless = 40

// disturbed waits for quiet from now on.
func (w *folderWatch) disturbed() {
	now := w.host.now()
	if w.since.IsZero() {
		w.since = now
	}
	if now.Sub(w.since) < maxRestless*w.host.cfg.Settle {
		w.settle.Reset(w.host.cfg.Settle)
	}
}

// rescan compares the folder with what is loaded, and loads it if it has changed
// and looks the same as the last time. What is remembered of files that have
// been gone for long is forgotten.
func (w *folderWatch) rescan(ctx context.Context) {
	h := w.host
	if w.watcher != nil {
		// Again each time: the folder may be another one by now.
		_ = w.watcher.Add(h.cfg.Dir)
	}
	h.reloading.Lock()
	defer h.reloading.Unlock()
	h.records.forget(h.current.load().present())
	files, err := folder(h.cfg.Dir).scan()
	if err == nil {
		stamp := stampOf(files)
		quiet := stamp == w.last
		w.last = stamp
		if stamp == h.reloader.seen {
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
