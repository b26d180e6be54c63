package fuel

// InstrumentExactly charges a run for what it does and no more, however slow
// that is.
func InstrumentExactly(original []byte, limits Limits) ([]byte, *Info, error) {
	s := &scanner{}
	s.exact = true
	return instrument(original, limits, s)
}
