package sdktest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the plugin emits into the golden cases")

// Case is one golden case, a JSON file of its own.
type Case struct {
	// Name is the file's, without `.json`.
	Name string `json:"-"`
	// Plugin is whose case it is, if it is a self-test of a bundle.
	Plugin string `json:"plugin,omitempty"`
	// About says what the case shows.
	About string `json:"about"`
	// Config is the plugin's, none unless given.
	Config json.RawMessage `json:"config,omitempty"`
	// Project and User own the resource that the notification is about.
	Project string `json:"project,omitempty"`
	User    string `json:"user,omitempty"`
	// Before are messages of the same owner that the plugin has seen already.
	Before []json.RawMessage `json:"before,omitempty"`
	// Notification is the message, without oslo.messaging's envelope.
	Notification json.RawMessage `json:"notification"`
	// Emissions are what the plugin shall emit.
	Emissions []Emission `json:"emissions"`
	Stop      bool       `json:"stop,omitempty"`
}

// Cases reads the cases in a folder, in the order of their names.
//
// # Errors
//
// There is none, one cannot be read, or is no Case.
func Cases(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no golden cases in %s", dir)
	}
	var cases []Case
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c := Case{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			return nil, fmt.Errorf("read the golden case %s: %w", file, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// Golden runs every case of a folder, each on a plugin that has just been
// started, and checks what CheckOwner checks.
func Golden(t *testing.T, dir string) {
	cases, err := Cases(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			f := Start(t, string(c.Config))
			for _, message := range c.Before {
				f.Send(Notification{message, c.Project, c.User})
			}
			a := f.Send(Notification{c.Notification, c.Project, c.User})
			if !a.Called {
				t.Fatal("the plugin has not asked for this event type")
			}
			for _, e := range a.Emissions {
				if err := e.CheckOwner(c.Project, c.User); err != nil {
					t.Error(err)
				}
			}
			if *update {
				c.Emissions, c.Stop = a.Emissions, a.Stopped
				c.write(t, filepath.Join(dir, c.Name+".json"))
				return
			}
			for _, place := range c.Diff(a.Emissions) {
				t.Error(place)
			}
			if a.Stopped != c.Stop {
				t.Errorf("stopped: %t, want %t", a.Stopped, c.Stop)
			}
		})
	}
}

// String is the emission on one line, in one spelling.
func (e Emission) String() string {
	var payload bytes.Buffer
	if err := json.Compact(&payload, e.Payload); err != nil {
		return fmt.Sprintf("%s %s %q", e.Channel, e.Key, e.Payload)
	}
	removed := ""
	if e.Removed {
		removed = " removed"
	}
	return fmt.Sprintf("%s %s%s %s", e.Channel, e.Key, removed, payload.Bytes())
}

// CheckOwner makes sure that an emission to a project or a user goes to the
// owner, and to nobody else.
//
// # Errors
//
// The emission goes elsewhere.
func (e Emission) CheckOwner(project, user string) error {
	scope, rest, _ := strings.Cut(e.Channel, "/")
	id, _, _ := strings.Cut(rest, "/")
	if scope == "admin" || id != "" && (scope == "project" && id == project || scope == "user" && id == user) {
		return nil
	}
	return fmt.Errorf("emits to %s, but the owners are project %q and user %q", e.Channel, project, user)
}

func (c *Case) write(t *testing.T, file string) {
	if c.Emissions == nil {
		c.Emissions = []Emission{}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
