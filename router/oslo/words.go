package oslo

// word is a name that is being read: what it contains and what it ends in. The zero value
// has read nothing.
type word struct {
	state    uint16 // of names
	contains bool   // one of maskedKeys or secretWords
	length   int    // letters and digits read
}

// letter reads the next letter. What is neither a letter nor a digit separates parts of a
// name and does not matter.
func (w *word) letter(c byte) {
	w.state = names[w.state].next[(c|0x20)-'a']
	w.length++
	w.contains = w.contains || names[w.state].contains
}

// digit reads a digit, which no name of a secret has.
func (w *word) digit() {
	w.state = 0
	w.length++
}

// secret reports whether the word is a secret's name.
func (w *word) secret() bool {
	n := &names[w.state]
	return w.contains || n.ending || n.whole != 0 && n.whole == w.length
}

// masked reports whether the word ends in one of maskedKeys.
func (w *word) masked() bool { return names[w.state].masked }

// names is an automaton (Aho and Corasick's) that finds all the names of secrets at
// once, with one step for each letter.
var names = newNames()

// name is a state: the longest end of what was read that some name begins with.
type name struct {
	next     ['z' - 'a' + 1]uint16
	masked   bool // ends in one of maskedKeys
	contains bool // or in one of secretWords
	ending   bool // ends in one of secretEndings
	whole    int  // the length of the one of secretNames that this is
}

func newNames() []name {
	states := make([]name, 1)
	add := func(list []string, mark func(*name)) {
		for _, text := range list {
			at := uint16(0)
			for _, c := range []byte(text) {
				next := states[at].next[c-'a']
				if next == 0 {
					next = uint16(len(states))
					states[at].next[c-'a'] = next
					states = append(states, name{})
				}
				at = next
			}
			mark(&states[at])
		}
	}
	add(maskedKeys, func(n *name) { n.masked, n.contains = true, true })
	add(secretWords, func(n *name) { n.contains = true })
	add(secretEndings, func(n *name) { n.ending = true })
	for _, text := range secretNames {
		add([]string{text}, func(n *name) { n.whole = len(text) })
	}

	// Breadth first: where no name goes on, the longest end that is a state does.
	type step struct{ state, shorter uint16 }
	queue := []step{{0, 0}}
	for ; len(queue) > 0; queue = queue[1:] {
		n, shorter := &states[queue[0].state], states[queue[0].shorter]
		n.masked = n.masked || shorter.masked
		n.contains = n.contains || shorter.contains
		n.ending = n.ending || shorter.ending
		if queue[0].state == 0 {
			shorter.next = [len(shorter.next)]uint16{}
		}
		for c, next := range n.next {
			if next == 0 {
				n.next[c] = shorter.next[c]
			} else {
				queue = append(queue, step{next, shorter.next[c]})
			}
		}
	}
	return states
}
