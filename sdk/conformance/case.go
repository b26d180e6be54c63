// Package conformance says what every SDK has to get right, whatever its
// language: README.md describes a plugin in words, and a case is notifications
// and what that plugin answers.
//
// In: the files in cases. Out: Cases. Caller: the command line, which runs them
// against a compiled plugin in the router's own plugin host.
package conformance

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"horizon-realtime/sdk/sdktest"
)

//go:embed cases
var files embed.FS

// Case is one case, a file of its own.
type Case struct {
	// Name is the file's, without `.json`.
	Name string `json:"-"`
	// About says what the case shows.
	About string `json:"about"`
	// Config is the plugin's, none unless given.
	Config json.RawMessage `json:"config"`
	// Refused is what the plugin logs as it refuses to start, empty where it
	// starts.
	Refused string `json:"refused"`
	Steps   []Step `json:"steps"`
}

// Step is one notification and its outcome.
type Step struct {
	// Notification is the message, without oslo.messaging's envelope.
	Notification json.RawMessage `json:"notification"`
	// Pad is how many letters each string `<pad>` in it stands for.
	Pad int `json:"pad"`
	// Times is how often it is sent, 0 for once.
	Times     int                `json:"times"`
	Emissions []sdktest.Emission `json:"emissions"`
	Stop      bool               `json:"stop"`
	// Log are the lines that the plugin logs, as `level: text`.
	Log []string `json:"log"`
	// Fault says that the call fails, Unheard that the plugin is not called.
	Fault   bool `json:"fault"`
	Unheard bool `json:"unheard"`
}

// Message is the notification with its padding.
func (s *Step) Message() []byte {
	return bytes.ReplaceAll(s.Notification, []byte(`"<pad>"`), []byte(`"`+strings.Repeat("x", s.Pad)+`"`))
}

// Cases are all there are, in the order of their names.
//
// # Errors
//
// A file is no case: a mistake in this package.
func Cases() ([]Case, error) {
	entries, err := files.ReadDir("cases")
	if err != nil {
		return nil, fmt.Errorf("list the conformance cases: %w", err)
	}
	cases := make([]Case, len(entries))
	for i, entry := range entries {
		text, err := files.ReadFile(path.Join("cases", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the conformance case %s: %w", entry.Name(), err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&cases[i]); err != nil {
			return nil, fmt.Errorf("read the conformance case %s: %w", entry.Name(), err)
		}
		cases[i].Name = strings.TrimSuffix(entry.Name(), ".json")
	}
	return cases, nil
}
