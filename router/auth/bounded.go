package auth

import (
	"container/list"
	"iter"
)

// bounded is a map of at most size entries that knows their order. Its owner
// locks it.
type bounded[K comparable, V any] struct {
	size    int
	entries map[K]*list.Element // of *entry[K, V]
	order   *list.List          // the one put last is at the back
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newBounded[K comparable, V any](size int) bounded[K, V] {
	return bounded[K, V]{size: size, entries: map[K]*list.Element{}, order: list.New()}
}

func (b *bounded[K, V]) len() int { return b.order.Len() }

func (b *bounded[K, V]) get(key K) (value V, ok bool) {
	e := b.entries[key]
	if e == nil {
		return value, false
	}
	return e.Value.(*entry[K, V]).value, true
}

// put sets a key's value and makes it the newest. If that takes the room of the
// oldest, put returns what was dropped.
func (b *bounded[K, V]) put(key K, value V) (dropped V, full bool) {
	b.remove(key)
	if b.order.Len() >= b.size {
		var oldest K
		oldest, dropped, full = b.oldest()
		b.remove(oldest)
	}
	b.entries[key] = b.order.PushBack(&entry[K, V]{key, value})
	return dropped, full
}

func (b *bounded[K, V]) oldest() (key K, value V, ok bool) {
	e := b.order.Front()
	if e == nil {
		return key, value, false
	}
	found := e.Value.(*entry[K, V])
	return found.key, found.value, true
}

func (b *bounded[K, V]) remove(key K) {
	if e := b.entries[key]; e != nil {
		b.order.Remove(e)
		delete(b.entries, key)
	}
}

// all gives every entry, the oldest first. The loop may change the value and
// remove the key.
func (b *bounded[K, V]) all() iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		for e := b.order.Front(); e != nil; {
			next, found := e.Next(), e.Value.(*entry[K, V])
			if !yield(found.key, &found.value) {
				return
			}
			e = next
		}
	}
}
