package oslo

import (
	"bytes"
	"encoding/binary"

	"horizon-realtime/router/json"
)

// A text is a secret from where it contains one of these. A token needs more than
// minToken bytes, which spares the search in most strings: ids have 32 or 36 bytes, a
// request's id has 40.
const (
	fernetToken = "gAAAAA"           // keystone's default: version 0x80, then a time before 2106
	jwsToken    = "eyJ"              // keystone's other tokens, and any JWT: base64 of {"
	privateKey  = "PRIVATE KEY-----" // PEM
	minToken    = 40
)

// tokenAt returns where the first token or private key in text begins, or its length.
func tokenAt(text []byte) int {
	if len(text) <= minToken {
		return len(text)
	}
	if bytes.Contains(text, []byte(privateKey)) {
		return 0 // it may have begun in front of the text
	}
	if i := bytes.Index(text, []byte(fernetToken)); i >= 0 {
		text = text[:i]
	}
	return jwsAt(text)
}

// jwsAt is tokenAt for two parts of base64url of some length, each followed by a dot.
// Every byte is looked at once or twice, however often a part begins like a token.
func jwsAt(text []byte) int {
	const shortest = 10
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(jwsToken))
		if i < 0 {
			return len(text)
		}
		at += i
		header := wordLength(text[at:])
		if dot := at + header; header >= shortest && dot < len(text) && text[dot] == '.' {
			claims := wordLength(text[dot+1:])
			if end := dot + 1 + claims; claims >= shortest && end < len(text) && text[end] == '.' {
				return at
			}
		}
		at += header // what begins in the header has the same end, and is shorter
	}
}

// wordLength is how many bytes of base64url text begins with.
func wordLength(text []byte) int {
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return n
}

func isWord(b byte) bool {
	return 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9' || b == '_' || b == '-'
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// mayTell reports whether secretFrom can find anything in text. It cannot in nearly all
// strings: ids and times have no letter of those that every secret's name has one of, nor
// the @ of a URL with a password, and most others no white space or punctuation.
func mayTell(text []byte) bool {
	if len(text) < 8 {
		for _, c := range text {
			if class := byteClasses[c]; class > underscore && class != pathStart {
				return true
			}
		}
		return false
	}
	found := uint64(0) // has the high bit of a byte from k to p, an s, an @, or a wide one
	for i := 0; i < len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[min(i, len(text)-8):])
		lower := w | ones*' '
		s, at := lower^ones*'s', w^ones*'@'
		found |= w | (lower+ones*(0x80-'k'))&^(lower+ones*(0x7f-'p')) | (s-ones)&^s | (at-ones)&^at
	}
	if found&highs == 0 {
		return false
	}
	found = 0 // now that of one below the dot, or one that is like : but for three bits
	for i := 0; i < len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[min(i, len(text)-8):])
		colon := w&(ones*0xf8) ^ ones*(':'&0xf8)
		found |= (w-ones*'.')&^w | (colon-ones)&^colon
	}
	return found&highs != 0
}

// What a byte is to secretFrom.
const (
	other = iota
	letter
	digit
	underscore
	dash
	blank
	quote
	backslash
	equals
	colon
	greater
	comma
	at
	pathStart // what ends a URL's authority
	wide      // a byte of a character outside ASCII
)

var byteClasses = func() (classes [256]uint8) {
	for c := range classes {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			classes[c] = letter
		case '0' <= c && c <= '9':
			classes[c] = digit
		case c <= ' ':
			classes[c] = blank
		case c >= 0x80:
			classes[c] = wide
		}
	}
	for c, class := range map[byte]uint8{'_': underscore, '-': dash, '"': quote, '\'': quote, '\\': backslash, '=': equals,
		':': colon, '>': greater, ',': comma, '@': at, '/': pathStart, '?': pathStart, '#': pathStart} {
		classes[c] = class
	}
	return classes
}()

// textScan is how far secretFrom has come.
type textScan struct {
	word   word
	inWord bool
	// masked says that one of maskedKeys has ended, and that there were only digits and
	// white space since; spaced says that there was white space.
	masked, spaced bool
	// named says the same of any secret's name, and of quotes and backslashes as well;
	// listed, that it was one of maskedKeys with a quote.
	named, listed bool
	// dashes says that there are two in a row in the word.
	dashes bool
	// password is where the password of a URL begins, if there is one; inURL, that we are
	// between its :// and what follows the host.
	password int
	inURL    bool
}

// secretFrom returns where a secret begins in a text, or the text's length. It finds
// whatever oslo.utils' mask_password masks (password=…, 'token': '…', --password …,
// <secret>…, token -x …), and what follows the other names of secrets and a colon or an
// equals sign, in JSON, in JSON that is a string in JSON, in Python's notation, in headers
// and in URLs; and a URL's password. It takes what follows a dash for a secret only if
// options says so: token-server may be a name.
//
// Every byte is looked at once.
func secretFrom(text []byte, options bool) int {
	var s textScan
	for i := 0; i < len(text); i++ {
		c := text[i]
		class := byteClasses[c]
		if class == wide {
			c, class, i = fold(text, i)
		}
		switch class {
		case letter:
			s.begin()
			for s.word.letter(c); i+1 < len(text) && byteClasses[text[i+1]] == letter; i++ {
				s.word.letter(text[i+1])
			}
			s.masked = s.word.masked()
		case digit:
			s.begin()
			s.word.digit()
		case underscore:
			s.begin()
			s.masked = false
		case dash:
			if s.masked && options && letterBehind(text[i:]) {
				return i + 1
			}
			s.begin()
			s.masked = false
			s.dashes = s.dashes || i > 0 && text[i-1] == '-'
		case blank:
			if s.masked && s.dashes {
				return i + 1
			}
			s.end()
			s.spaced, s.inURL = s.masked, false
		case quote, backslash:
			if class == quote && s.masked && s.spaced {
				return i + 1
			}
			s.listed = s.inWord && s.masked || s.listed
			s.masked = s.masked && s.spaced
			s.inURL = false
			s.end()
		case equals, colon:
			if s.end(); s.masked || s.named {
				return i + 1
			}
			if class == colon && bytes.HasPrefix(text[i:], []byte("://")) {
				i += len("//")
				s = textScan{inURL: true}
			} else {
				s = textScan{inURL: s.inURL, password: s.password}
				if class == colon && s.password == 0 {
					s.password = i + 1
				}
			}
		case greater, comma:
			if class == greater && s.masked || class == comma && s.listed {
				return i + 1
			}
			s = textScan{}
		case at:
			if s.inURL && s.password > 0 {
				return s.password
			}
			s = textScan{}
		default:
			s = textScan{inURL: s.inURL && class != pathStart, password: s.password}
		}
	}
	return len(text)
}

// begin begins a word, unless there is one.
func (s *textScan) begin() {
	if !s.inWord {
		*s = textScan{inWord: true, inURL: s.inURL, password: s.password}
	}
}

// end ends a word, if there is one.
func (s *textScan) end() {
	if s.inWord {
		s.named = s.word.secret()
		s.inWord = false
	}
}

// letterBehind reports whether an option's name follows its dashes, for which Python's
// expression takes everything from A to z.
func letterBehind(dashes []byte) bool {
	name := bytes.TrimLeft(dashes, "-")
	return len(name) > 0 && ('A' <= name[0] && name[0] <= 'z' || name[0] >= 0x80)
}

// fold gives the letter that Python takes the character at i for when it ignores case. A
// character of another kind may be white space, and counts as that. end is its last byte.
func fold(text []byte, i int) (c byte, class uint8, end int) {
	for _, f := range [...]struct {
		character string
		letter    byte
	}{{"ſ", 's'}, {"ı", 'i'}, {"İ", 'i'}, {"\u212a", 'k'}} {
		if bytes.HasPrefix(text[i:], []byte(f.character)) {
			return f.letter, letter, i + len(f.character) - 1
		}
	}
	return ' ', blank, i
}

// isNamed reports whether a text is what somebody has called something: token-server.
func isNamed(v json.Value, text []byte) bool {
	return bytes.Contains(v.Key(), []byte("name")) && bytes.IndexByte(text, ' ') < 0
}
