package meter

import (
	"net/http"
	"slices"
	"strings"
)

// change is the write of one item.
type change struct {
	table  string
	key    map[string]any
	put    map[string]any // the new item of a put
	update bool           // how the item is afterwards has to be asked
	factor float64        // 1, or transactional
	before int            // bytes
}

// changes gives the writes of a request; none: it does not write items.
func (r *request) changes() (all []change, err error) {
	add := func(factor float64, write map[string]any) {
		c := change{
			table: text(write["TableName"]), key: object(write["Key"]), put: object(write["Item"]),
			factor: factor,
		}
		c.update = write["UpdateExpression"] != nil || write["AttributeUpdates"] != nil
		all = append(all, c)
	}
	switch r.operation {
	case "PutItem", "DeleteItem":
		add(1, r.input)
	case "UpdateItem":
		add(1, r.input)
		all[0].update = true // without an expression it makes the item
	case "BatchWriteItem":
		for table, writes := range object(r.input["RequestItems"]) {
			for _, write := range list(writes) {
				for _, one := range object(write) { // a PutRequest or a DeleteRequest
					add(1, object(one))
					all[len(all)-1].table = table
				}
			}
		}
	case "TransactWriteItems":
		for _, one := range list(r.input["TransactItems"]) {
			for _, write := range object(one) { // a Put, an Update, a Delete or a ConditionCheck
				add(transactional, object(write))
			}
		}
	}
	for i, c := range all {
		if c.put != nil {
			if all[i].key, err = r.keyOf(c); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// keyOf takes the key out of the item of a put.
func (r *request) keyOf(c change) (map[string]any, error) {
	p, id := r.proxy, r.accessKey+" "+c.table
	p.mu.Lock()
	names := p.schemas[id]
	p.mu.Unlock()
	if names == nil {
		output, err := r.ask("DescribeTable", map[string]any{"TableName": c.table})
		if err != nil {
			return nil, err
		}
		for _, element := range list(object(output["Table"])["KeySchema"]) {
			names = append(names, text(object(element)["AttributeName"]))
		}
		p.mu.Lock()
		p.schemas[id] = names
		p.mu.Unlock()
	}
	key := map[string]any{}
	for _, name := range names {
		key[name] = c.put[name]
	}
	return key, nil
}

// write has the engine write, and looks at the items before and after.
func (r *request) write(body []byte, changes []change) (a answer, u Usage, err error) {
	defer r.proxy.hold(changes)()
	for i, c := range changes {
		if changes[i].before, err = r.sizeAt(c.table, c.key); err != nil {
			return a, u, err
		}
	}
	if a, err = r.send(r.operation, body); err != nil {
		return a, u, err
	}
	done := a.status == http.StatusOK
	if !done && !refused(a) {
		return a, u, nil
	}
	for _, c := range changes {
		after := 0
		switch {
		case !done: // by its condition: the item that is there counts
		case c.update:
			if after, err = r.sizeAt(c.table, c.key); err != nil {
				return a, u, err
			}
		default:
			after = Size(c.put)
		}
		u.WriteUnits += c.factor * WriteUnits(c.before, after)
	}
	return a, u, nil
}

// refused tells whether a condition was not met, which AWS charges for. A transaction that is
// cancelled is counted likewise, though the guide does not say so.
func refused(a answer) bool {
	kind := text(a.output["__type"])
	return strings.HasSuffix(kind, "#ConditionalCheckFailedException") ||
		strings.HasSuffix(kind, "#TransactionCanceledException")
}

// hold keeps other writes from the items until the function that it gives is called.
func (p *Proxy) hold(changes []change) (release func()) {
	var locks []int
	for _, c := range changes {
		locks = append(locks, p.lockOf(c))
	}
	slices.Sort(locks)
	locks = slices.Compact(locks)
	for _, i := range locks {
		p.locks[i].Lock()
	}
	return func() {
		for _, i := range locks {
			p.locks[i].Unlock()
		}
	}
}
