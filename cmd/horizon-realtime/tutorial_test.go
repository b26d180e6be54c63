package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/clitest"
	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// fence finds the code blocks of the tutorial: language, name, text.
var fence = regexp.MustCompile("(?ms)^```(\\w+)(?: ([^\\n]+))?\\n(.*?)^```$")

// TestTutorial does what docs/writing-plugins.md says: it writes the files whose
// blocks have a name, runs the commands behind `$`, and looks for the lines that
// follow each in what it prints, in their order; `…` stands for anything.
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile("../../docs/writing-plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	ours := strings.NewReplacer(":8080", fmt.Sprintf(":%d", ports[0]), ":9090", fmt.Sprintf(":%d", ports[1]))
	r := &reader{Desk: clitest.NewDesk(t), t: t}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.last)
		}
	})
	files, commands := 0, 0
	for _, block := range fence.FindAllStringSubmatch(ours.Replace(string(text)), -1) {
		language, name, content := block[1], block[2], block[3]
		switch {
		case language == "console":
			for _, step := range strings.Split("\n"+content, "\n$ ")[1:] {
				commands++
				line, wants, _ := strings.Cut(step, "\n")
				r.run(line, strings.Split(strings.TrimSuffix(wants, "\n"), "\n"), name == "background")
			}
		case name != "":
			files++
			r.Write(r.dir+name, content)
		}
	}
	if files != 4 || commands < 15 {
		t.Errorf("found %d files and %d commands in the tutorial", files, commands)
	}
}

// reader is somebody who works through the tutorial.
type reader struct {
	*clitest.Desk
	t *testing.T
	// dir is the folder that the reader is in, empty or with a slash behind it.
	dir string
	// last is what was printed by the command that has to be repeated.
	last string
}

func (r *reader) run(line string, wants []string, background bool) {
	r.t.Helper()
	if dir, ok := strings.CutPrefix(line, "cd "); ok {
		r.dir += dir + "/"
		return
	}
	if background {
		r.Desk.Background(r.dir, line, wants[0])
		return
	}
	if !strings.HasPrefix(line, "curl ") {
		if out, missing := r.attempt(line, wants); missing != "" {
			r.t.Fatalf("$ %s\nwant %q in:\n%s", line, missing, out)
		}
		return
	}
	testwait.Until(r.t, "what the tutorial promises of "+line, func() bool {
		out, missing := r.attempt(line, wants)
		if missing != "" {
			r.last = out
		}
		return missing == ""
	})
}

// attempt runs a command and returns the wanted line that is missing, if any.
func (r *reader) attempt(line string, wants []string) (out, missing string) {
	r.t.Helper()
	out, code := r.Shell(r.dir, line)
	if code != cli.OK && !strings.HasPrefix(line, "curl ") {
		return out, fmt.Sprintf("exit code 0 and not %d", code)
	}
	rest := out
	for _, want := range wants {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
		found := regexp.MustCompile(pattern).FindStringIndex(rest)
		if found == nil {
			return out, want
		}
		rest = rest[found[1]:]
	}
	return out, ""
}
