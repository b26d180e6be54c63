package abi_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"horizon-realtime/sdk/abi"
)

// TestNumbersOfThePage holds the constants against the tables of
// docs/plugin-abi.md, which plugins in other languages are written by.
func TestNumbersOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/plugin-abi.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for row, n := range map[string]int{
		"absent": abi.Absent, "null": abi.Null, "false": abi.False, "true": abi.True, "number": abi.Number,
		"string": abi.String, "object": abi.Object, "array": abi.Array, "too big": abi.TooBig,
		"event type": abi.FieldEventType, "publisher": abi.FieldPublisher, "priority": abi.FieldPriority,
		"message id": abi.FieldMessageID, "timestamp": abi.FieldTimestamp, "project": abi.FieldProject,
		"user": abi.FieldUser, "request id": abi.FieldRequestID,
		"emit": abi.TagEmit, "stop": abi.TagStop,
	} {
		if want := fmt.Sprintf("\n| %d | %s |", n, row); !strings.Contains(text, want) {
			t.Errorf("no row %q", want)
		}
	}
	for _, want := range []string{
		fmt.Sprintf("# The plugin ABI, version %d\n", abi.Version),
		fmt.Sprintf("a header of %d bytes, an entry of %d bytes for each of the\n%d standard fields", abi.HeaderSize, abi.EntrySize, abi.StandardFields),
		fmt.Sprintf("\n| %d | u32 | feature bits", abi.HeaderFeatures), fmt.Sprintf("\n| %d | u32 | length of the whole block", abi.HeaderLength),
		fmt.Sprintf("\n| %d | u32 | number of wanted fields", abi.HeaderCount), fmt.Sprintf("length in bytes in the low %d", abi.LengthBits),
		fmt.Sprintf("one after the other: %d bytes of header", abi.RecordHeader), fmt.Sprintf("\n| %d | | the channel, the key, and the payload", abi.EmitHeader),
		fmt.Sprintf("flags: %d says", abi.EmitRemoved), fmt.Sprintf("%#x: whatever is there", abi.KVAnyVersion),
		fmt.Sprintf("(%d debug, %d info, %d warn, %d error)", abi.LevelDebug, abi.LevelInfo, abi.LevelWarn, abi.LevelError),
		"| `" + abi.Marker + "` | `()` |", "| `" + abi.Init + "` | `() -> i64` |", "| `" + abi.Event + "` | `() -> i64` |", "| `" + abi.Memory + "` |",
		"Functions of module `" + abi.Module + "`", "    " + abi.DeclareOn, "    " + abi.DeclareWant,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}
