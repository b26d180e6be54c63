package oslo

import "time"

// The time that a service writes may be off by this much from when its notification
// arrives. Further off, its clock is wrong, and the arrival says more.
const (
	// maxAhead is what hosts without a common clock differ by. For as long as a message
	// is ahead, pages take the later ones of other hosts for older.
	maxAhead = 10 * time.Second
	// maxBehind is the longest that a message can wait in a queue of ours.
	maxBehind = 28 * 24 * time.Hour
)

// firstYear is that of OpenStack's first release.
const firstYear = 2010

// atArrival is at, or now if a message that arrives now cannot be of that time.
func atArrival(at, now time.Time) time.Time {
	if at.After(now.Add(maxAhead)) || at.Before(now.Add(-maxBehind)) {
		return now
	}
	return at
}

// parseTimestamp reads oslo.messaging's `YYYY-MM-DD hh:mm:ss.ffffff`, which is
// UTC, and what has been seen in its place: a T between date and time, no
// fraction or one of other length (isoformat drops .000000), and a zone: Z, +hh,
// +hhmm or +hh:mm, with or without a space before it.
func parseTimestamp(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02 15:04:05") || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	if s[10] != ' ' && s[10] != 'T' && s[10] != 't' {
		return time.Time{}, false
	}
	century, ok1 := digits(s[0:2])
	year, ok2 := digits(s[2:4])
	month, ok3 := digits(s[5:7])
	day, ok4 := digits(s[8:10])
	hour, ok5 := digits(s[11:13])
	minute, ok6 := digits(s[14:16])
	second, ok7 := digits(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	nanos, rest := fraction(s[19:])
	offset, ok := zone(rest)
	if !ok {
		return time.Time{}, false
	}
	at := time.Date(century*100+year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if at.Day() != day && second < 60 || month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	at = at.Add(-offset)
	return at, firstYear <= at.Year() && at.Year() <= 9999
}

// digits reads two of them.
func digits(s string) (int, bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

// fraction reads `.ffffff` of any length, and gives what follows.
func fraction(s string) (nanos int, rest string) {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' || s[1]-'0' > 9 {
		return 0, s
	}
	unit := 100_000_000
	i := 1
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:]
}

func zone(s string) (time.Duration, bool) {
	if s != "" && s[0] == ' ' {
		s = s[1:]
	}
	switch s {
	case "", "Z", "z", "UTC":
		return 0, true
	}
	sign := time.Duration(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	s = s[1:]
	if len(s) == 5 && s[2] == ':' {
		return clock(sign, s[:2], s[3:])
	}
	if len(s) == 4 {
		return clock(sign, s[:2], s[2:])
	}
	if len(s) == 2 {
		return clock(sign, s, "00")
	}
	return 0, false
}

func clock(sign time.Duration, hours, minutes string) (time.Duration, bool) {
	h, ok1 := digits(hours)
	m, ok2 := digits(minutes)
	return sign * (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute), ok1 && ok2 && h < 24 && m < 60
}
