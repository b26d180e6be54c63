package plugintool

import (
	"context"
	stdjson "encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

func newRun(o *options) *cobra.Command {
	var grants []string
	var tokenFile string
	cmd := &cobra.Command{
		Use:   "run FILE.wasm NOTIFICATIONS.jsonl|ADMIN-URL",
		Short: "Show what a plugin makes of notifications, recorded or of a running router",
		Long: `Send notifications to a plugin, and print what it emits and whether the router would
publish it. NOTIFICATIONS has one JSON object per line: what replay takes, or the
notification itself. It may be compressed with gzip, and "-" is standard input.
ADMIN-URL is the address of a running router's admin listener. The plugin then gets what
the router's plugins get, until the router stops or you interrupt it, and nothing is
published; [admin] taps has to permit it, as the demo does. With --output json, there is
a JSON object per line for each notification that the plugin asked for. Exit code 1
means that a call failed or an emission would be refused or dropped.`,
		Example: `  horizon-realtime plugin run 50-volumes.wasm recorded.jsonl
  horizon-realtime plugin run --grant admin 50-volumes.wasm recorded.jsonl.gz
  horizon-realtime plugin run 50-volumes.wasm http://127.0.0.1:9090`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			if err := addGrants(&setup, args[0], grants); err != nil {
				return err
			}
			trial, err := loadTrial(cmd.Context(), args[0], "", setup)
			if err != nil {
				return err
			}
			defer trial.Close()
			in, err := openNotifications(cmd, args[1], tokenFile)
			if err != nil {
				return err
			}
			defer in.Close()
			r := pluginRun{options: o, out: cmd.OutOrStdout(), trial: trial, oslo: oslo.NewDecoder(oslo.DefaultConfig())}
			if err := r.expect(trial.Status().Wants); err != nil {
				return err
			}
			err = readMessages(in, func(m Message) error { return r.send(cmd.Context(), m) })
			if isTap(args[1]) && cmd.Context().Err() != nil {
				err = nil // interrupted, which is how it ends
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", args[1], err)
			}
			return r.summary(cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringArrayVar(&grants, "grant", nil, `a grant for the plugin, as in [plugin.X] grants: "admin", "cross_project" or "stop"`)
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "the file of the router's [admin] token_file, if it has one")
	return cmd
}

func openNotifications(cmd *cobra.Command, name, tokenFile string) (io.ReadCloser, error) {
	if !isTap(name) {
		return OpenRecording(name, cmd.InOrStdin())
	}
	in, err := openTap(cmd.Context(), name, tokenFile)
	if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "reading along at %s; interrupt to end\n", name)
	}
	return in, err
}

// addGrants gives a plugin more than its table does.
func addGrants(setup *Setup, file string, grants []string) error {
	if len(grants) == 0 {
		return nil
	}
	if _, err := event.ParseGrants(grants); err != nil {
		return cli.Mistake("--grant: %s", err)
	}
	tables := maps.Clone(setup.Tables)
	if tables == nil {
		tables = make(map[string]plugin.Settings)
	}
	name := setup.name(file)
	table := tables[name]
	table.Grants = slices.Concat(table.Grants, grants)
	tables[name] = table
	setup.Tables = tables
	return nil
}

// pluginRun is one run of `plugin run`, and what it counted.
type pluginRun struct {
	*options
	out   io.Writer
	trial *Trial
	oslo  *oslo.Decoder
	n     event.Notification
	// unseen are the wanted fields that no notification has had so far. One that
	// remains at the end is probably misspelt.
	unseen []json.Pointer

	read, malformed, heard, emissions, refused, dropped, faults int
}

// heard is one line of the output for programs.
type heard struct {
	Line      int    `json:"line"`
	EventType string `json:"event_type"`
	MessageID string `json:"message_id"`
	Project   string `json:"project"`
	User      string `json:"user"`
	Answer
}

// expect starts looking for the wanted fields.
func (r *pluginRun) expect(wants []string) error {
	for _, want := range wants {
		pointer, err := json.ParsePointer(want)
		if err != nil {
			return err // the plugin host has parsed it as well
		}
		r.unseen = append(r.unseen, pointer)
	}
	return nil
}

func (r *pluginRun) send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.read++
	n := &r.n
	if err := r.oslo.Decode(n, m.Body, m.Compression); err != nil {
		r.malformed++
		if !r.json() {
			fmt.Fprintf(r.out, "line %d: the router would put it aside: %s\n", m.Line, err)
		}
		return nil
	}
	if parts := oslo.Split(n); parts != nil {
		r.read -= len(parts) // which are one line
		for _, part := range parts {
			if err := r.send(ctx, Message{Line: m.Line, Body: part}); err != nil {
				return err
			}
		}
		return nil
	}
	a := r.trial.Send(ctx, n)
	if !a.Called {
		return nil
	}
	r.heard++
	r.unseen = slices.DeleteFunc(r.unseen, func(p json.Pointer) bool { return n.Get(p).Kind() != json.Absent })
	r.emissions += len(a.Emissions)
	for _, e := range a.Emissions {
		if e.Refused != "" {
			r.refused++
		}
	}
	r.dropped += a.Dropped
	if a.Fault != "" {
		r.faults++
	}
	if r.json() {
		r.printed = true
		encoder := stdjson.NewEncoder(r.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(heard{m.Line, n.Type, n.MessageID, n.Project, n.User, a})
	}
	r.print(m.Line, n, a)
	return nil
}

func (r *pluginRun) print(line int, n *event.Notification, a Answer) {
	owner := "owned by nobody"
	if n.Project != "" || n.User != "" {
		owner = fmt.Sprintf("project %q user %q", n.Project, n.User)
	}
	fmt.Fprintf(r.out, "line %d: %s, %s\n", line, n.Type, owner)
	for _, l := range a.Log {
		fmt.Fprintf(r.out, "  it said  %s: %s\n", l.Level, l.Text)
	}
	for _, e := range a.Emissions {
		verdict := "emits "
		if e.Refused != "" {
			verdict = "REFUSED"
		}
		fmt.Fprintf(r.out, "  %-8s %s\n", verdict, e)
		if e.Refused != "" {
			fmt.Fprintf(r.out, "           %s\n", e.Refused)
		}
	}
	if a.Dropped > 0 {
		fmt.Fprintf(r.out, "  DROPPED  %s; the log says why\n", counted(a.Dropped, "emission"))
	}
	switch {
	case a.Fault != "":
		fmt.Fprintf(r.out, "  FAILED   %s\n", a.Fault)
	case len(a.Emissions)+a.Dropped == 0:
		fmt.Fprintln(r.out, "  nothing")
	}
	if a.Stopped {
		fmt.Fprintln(r.out, "  stops it for later plugins")
	}
}

// summary prints counts, on standard error: programs read the output.
func (r *pluginRun) summary(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d heard, %s of which %d refused, %s, %d malformed\n",
		counted(r.read, "notification"), r.heard, counted(r.emissions, "emission"), r.refused, counted(r.faults, "fault"), r.malformed)
	if r.heard > 0 {
		for _, pointer := range r.unseen {
			fmt.Fprintf(out, "note: the plugin wants %s, which none of the notifications has; is it misspelt?\n", pointer)
		}
	}
	switch {
	case r.faults > 0:
		return fmt.Errorf("%s failed", counted(r.faults, "call"))
	case r.dropped > 0:
		return fmt.Errorf("the router would drop %s", counted(r.dropped, "emission"))
	case r.refused > 0:
		return fmt.Errorf("the router would refuse %s", counted(r.refused, "emission"))
	}
	return nil
}
