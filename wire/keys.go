package wire

import "bytes"

// keys is the keys of one object. The first few are compared one by one, so that usual objects
// cost no memory; more go into a map, so that the time grows with the length alone.
type keys struct {
	few  [8][]byte
	n    int
	many map[string]struct{}
}

// add tells whether the key is new.
func (k *keys) add(key []byte) bool {
	for _, other := range k.few[:min(k.n, len(k.few))] {
		if bytes.Equal(other, key) {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	if _, ok := k.many[string(key)]; ok {
		return false
	}
	if k.many == nil {
		k.many = make(map[string]struct{})
	}
	k.many[string(key)] = struct{}{}
	return true
}
