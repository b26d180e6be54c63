package plugintool

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"horizon-realtime/router/rabbit"
)

// maxLine bounds a line of a recording, in bytes.
const maxLine = 64 << 20

// Message is one notification of a recording, as it was on the wire.
type Message struct {
	// Line is its line number, from 1.
	Line int
	Body []byte
	// Compression is the AMQP header of that name.
	Compression string
}

// OpenRecording opens a file or standard input, and unpacks what gzip packed.
func OpenRecording(name string, stdin io.Reader) (io.ReadCloser, error) {
	file := io.NopCloser(stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open the recording: %w", err)
		}
		file = f
	}
	buffered := bufio.NewReaderSize(file, 64<<10)
	if magic, _ := buffered.Peek(2); string(magic) != "\x1f\x8b" {
		return readCloser{buffered, file}, nil
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("unpack the recording: %w", err)
	}
	return readCloser{unpacked, file}, nil
}

// readCloser reads from one and closes the other below it.
type readCloser struct {
	io.Reader
	io.Closer
}

// readMessages reads a recording: what `replay` publishes, or lines that are
// bodies themselves, with oslo.messaging's envelope or without. each is called
// with one message at a time, which it may keep; its error ends the reading.
//
// # Errors
//
// A line that is neither, or what each returned, both with the line's number; or
// the recording is empty.
func readMessages(recording io.Reader, each func(Message) error) error {
	lines := bufio.NewScanner(recording)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	found := false
	number := 1
	for ; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		found = true
		m, err := parseMessage(line)
		m.Line = number
		if err == nil {
			err = each(m)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number, err)
	}
	if !found {
		return errors.New("the recording is empty; it should have a notification per line")
	}
	return nil
}

func parseMessage(line []byte) (Message, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return Message{}, fmt.Errorf("it is no notification: %w; a recording has one JSON object per line", err)
	}
	if _, recorded := members["body"]; !recorded {
		return Message{Body: bytes.Clone(line)}, nil
	}
	r, err := rabbit.ParseRecorded(line)
	if err != nil {
		return Message{}, err
	}
	compression, _ := r.Headers["compression"].(string)
	return Message{Body: []byte(r.Body), Compression: compression}, nil
}
