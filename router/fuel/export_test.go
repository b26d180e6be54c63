package fuel

// InstrumentWithoutSlack never charges for code that may not run.
func InstrumentWithoutSlack(original []byte, limits Limits) ([]byte, *Info, error) {
	return instrument(original, limits, &scanner{})
}

// Values is how many values the frames of a call hold, as the counter has it.
func Values(counter int64) int64 { return counter & stackMask }

// InstrumentStretches charges each stretch of code where it begins: what a run
// takes is what it did, by no other rule than that of the costs.
func InstrumentStretches(original []byte, limits Limits) ([]byte, *Info, error) {
	return instrument(original, limits, &scanner{meter: meter{exact: true}})
}
