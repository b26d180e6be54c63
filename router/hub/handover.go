package hub

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"horizon-realtime/router/event"
)

// A hub that has stopped hands its history to the next one on the same host through
// [hub] history_file: the epoch goes on, and clients recover as if nothing had
// happened. What was published to RabbitMQ meanwhile comes from the router's queue.
// The file is read once, so that a crash later does not bring an old one back.

// handoverFormat changes with what is in the file.
const handoverFormat = 1

// handover begins the file, and records follow.
type handover struct {
	Format      int
	Epoch       string
	Began, Made time.Time
	Top         uint64
	Forgotten   uint64 // of channels that are not listed
}

type recordKind uint8

const (
	recordEnd     recordKind = iota // a file without it is not whole
	recordGroup                     // Offset is the highest forgotten
	recordChannel                   // Offset is the highest dropped
	recordEntry                     // of the history; in the order of offsets
)

type record struct {
	Kind          recordKind
	Name          string
	Offset        uint64
	At            time.Time
	Project, Body []byte
}

// Save writes the history_file, if there is to be one. Run must have returned.
//
// # Errors
//
// The file cannot be written; then there is none.
func (h *Hub) Save() (err error) {
	l, ok := h.events.(*local)
	if !ok || h.cfg.HistoryFile == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(h.cfg.HistoryFile), ".history-*") // only its owner may read it
	if err != nil {
		return fmt.Errorf("write [hub] history_file: %w", err)
	}
	w := bufio.NewWriter(f)
	err = errors.Join(h.write(gob.NewEncoder(w), l), w.Flush(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), h.cfg.HistoryFile)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write [hub] history_file: %w", err)
	}
	return nil
}

func (h *Hub) write(out *gob.Encoder, l *local) error {
	now := time.Now()
	_, top := l.Position()
	head := handover{Format: handoverFormat, Epoch: l.epoch, Began: now.Add(-time.Duration(l.now()) * time.Microsecond), Made: now, Top: top}
	var records, entries []record
	for _, s := range h.shards {
		head.Forgotten = max(head.Forgotten, s.forgotten)
		for _, g := range s.groups {
			if len(g.channels) == 0 {
				head.Forgotten = max(head.Forgotten, g.forgotten)
				continue
			}
			records = append(records, record{Kind: recordGroup, Name: g.name, Offset: g.forgotten})
			for _, ch := range g.channels {
				records = append(records, record{Kind: recordChannel, Name: ch.fan.pattern, Offset: ch.dropped})
			}
		}
		for n := s.entries.first; n != nil; n = n.next {
			e := n.value
			entries = append(entries, record{
				Kind: recordEntry, Name: e.channel.fan.pattern, Offset: e.offset, At: s.began.Add(e.at), Project: e.text[:e.body], Body: e.text[e.body:],
			})
		}
	}
	slices.SortFunc(entries, func(a, b record) int { return cmp.Compare(a.Offset, b.Offset) })
	if err := out.Encode(head); err != nil {
		return err
	}
	for _, r := range slices.Concat(records, entries, []record{{Kind: recordEnd}}) {
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// resume reads and removes the history_file, if there is one. Without one that can be
// used the hub begins anew, with another epoch.
func (h *Hub) resume() {
	if h.cfg.HistoryFile == "" {
		return
	}
	err := h.load()
	if err == nil {
		h.log.Info("took over the history of the router that ran before", "file", h.cfg.HistoryFile)
		return
	}
	h.begin()
	if errors.Is(err, os.ErrNotExist) {
		h.log.Info("there is no history to take over", "file", h.cfg.HistoryFile)
		return
	}
	h.log.Warn("cannot take over the history of the router that ran before", "file", h.cfg.HistoryFile, "error", err)
}

func (h *Hub) load() error {
	f, err := os.OpenFile(h.cfg.HistoryFile, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || owner == nil || int(owner.Uid) != os.Geteuid() {
		return errors.New("it is to be a file that only the router's user can read and write")
	}
	if err := os.Remove(h.cfg.HistoryFile); err != nil {
		return err
	}
	return h.read(gob.NewDecoder(bufio.NewReader(io.LimitReader(f, 4*int64(h.cfg.HistoryBytes)))), time.Now())
}

func (h *Hub) read(in *gob.Decoder, now time.Time) error {
	var head handover
	if err := in.Decode(&head); err != nil {
		return err
	}
	switch age := now.Sub(head.Made); {
	case head.Format != handoverFormat:
		return fmt.Errorf("its format is %d", head.Format)
	case age < 0 || age > h.cfg.HistoryTTL:
		return fmt.Errorf("it was written %s ago, and [hub] history_ttl is %s", age, h.cfg.HistoryTTL)
	}
	h.events.(*local).goOn(head, now)
	for _, s := range h.shards {
		s.forgotten = head.Forgotten
	}
	for {
		var r record
		if err := in.Decode(&r); err != nil {
			return err
		}
		if r.Kind == recordEnd {
			return nil
		}
		if err := h.restore(&r, now); err != nil {
			return err
		}
	}
}

func (h *Hub) restore(r *record, now time.Time) error {
	name := r.Name
	if r.Kind == recordGroup {
		name += "/*"
	}
	c, err := event.ParsePattern(name)
	if err != nil {
		return err
	}
	s := h.shard(h.group(c))
	switch r.Kind {
	case recordGroup:
		s.openGroup(c).forgotten = r.Offset
	case recordChannel:
		s.openChannel(c).dropped = r.Offset
		s.limitChannels()
	case recordEntry:
		if ch := s.channels[c.Name]; ch != nil && s.on() {
			s.body = append(s.body[:0], r.Body...)
			s.remember(ch, r.Offset, r.At.Sub(now)+time.Since(s.began), r.Project)
		}
	}
	return nil
}
