package oslo

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
)

// encoding is a compression that kombu can apply to a body.
type encoding uint8

const (
	plain encoding = iota
	deflated
	bzipped
)

// encodingOf reads the `compression` header. The names are those of
// kombu/compression.py, where oslo.messaging's option kombu_compression leads.
// kombu writes the content type, and calls zlib's format gzip.
func encodingOf(compression string) (encoding, bool) {
	switch strings.ToLower(compression) {
	case "", "identity":
		return plain, true
	case "application/x-gzip", "application/gzip", "gzip", "zlib":
		return deflated, true
	case "application/x-bz2", "application/x-bzip2", "bzip2", "bzip", "bz2":
		return bzipped, true
	}
	return plain, false
}

// decompress appends the decompressed body to dst, which is empty: at most limit
// bytes of it, also if that is too little.
func decompress(dst, body []byte, kind encoding, limit int) ([]byte, error) {
	reader, err := open(body, kind)
	if err != nil {
		return dst, &Error{Compression, fmt.Errorf("open the compressed body: %w", err)}
	}
	out := bytes.NewBuffer(dst)
	if _, err := out.ReadFrom(io.LimitReader(reader, int64(limit)+1)); err != nil {
		return dst, &Error{Compression, fmt.Errorf("decompress the body: %w", err)}
	}
	if out.Len() > limit {
		return out.Bytes()[:limit], &Error{TooLarge, fmt.Errorf("decompressed, the body is over the limit of %d bytes; raise [router] max_body_bytes", limit)}
	}
	return out.Bytes(), nil
}

func open(body []byte, kind encoding) (io.Reader, error) {
	source := bytes.NewReader(body)
	if kind == bzipped {
		return bzip2.NewReader(source), nil
	}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(source)
	}
	return zlib.NewReader(source)
}
