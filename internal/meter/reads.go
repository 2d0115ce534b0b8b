package meter

import (
	"maps"
	"regexp"
)

// narrowing are the members of a request that make an answer smaller, but not what it costs: the
// page on read and write operations.
var narrowing = []string{
	"ProjectionExpression", "FilterExpression", "AttributesToGet", "Select", "QueryFilter",
	"ScanFilter", "ConditionalOperator",
}

// read gives what an answered read has cost; anything else has cost nothing.
func (r *request) read(a answer) (u Usage, err error) {
	switch r.operation {
	case "GetItem":
		output, err := r.whole(r.input, a.output, "")
		return reading(Size(object(output["Item"])), r.input), err
	case "Query", "Scan":
		condition := text(r.input["KeyConditionExpression"])
		output, err := r.whole(r.input, a.output, condition)
		bytes := 0
		for _, item := range list(output["Items"]) {
			bytes += Size(object(item))
		}
		return reading(bytes, r.input), err
	case "BatchGetItem":
		return r.readBatch(a)
	case "TransactGetItems":
		return r.readTransaction()
	}
	return u, nil
}

// reading is a read of so many bytes, of one item or together.
func reading(bytes int, input map[string]any) Usage {
	return Usage{ReadUnits: ReadUnits(bytes, input["ConsistentRead"] == true), ReadBytes: bytes}
}

// plus adds a read.
func (u *Usage) plus(read Usage) {
	u.ReadUnits += read.ReadUnits
	u.ReadBytes += read.ReadBytes
}

// whole gives the answer to a read as it is without what makes it smaller. The expression is the
// one whose names and values the request still needs then: DynamoDB refuses others.
func (r *request) whole(input, output map[string]any, expression string) (map[string]any, error) {
	wide := widen(input, expression)
	if wide == nil {
		return output, nil
	}
	return r.ask(r.operation, wide)
}

// widen copies a request without what makes its answer smaller; nil: there is no such thing.
func widen(input map[string]any, expression string) map[string]any {
	wide := maps.Clone(input)
	for _, name := range narrowing {
		delete(wide, name)
	}
	if len(wide) == len(input) {
		return nil
	}
	used := map[string]bool{}
	for _, name := range placeholder.FindAllString(expression, -1) {
		used[name] = true
	}
	for _, member := range []string{"ExpressionAttributeNames", "ExpressionAttributeValues"} {
		kept := maps.Clone(object(wide[member]))
		maps.DeleteFunc(kept, func(name string, _ any) bool { return !used[name] })
		if wide[member] = kept; len(kept) == 0 {
			delete(wide, member)
		}
	}
	return wide
}

// placeholder is a name or a value in an expression.
var placeholder = regexp.MustCompile(`[#:][A-Za-z0-9_]+`)

// readBatch rounds each item for itself, those that are not there too.
func (r *request) readBatch(a answer) (u Usage, err error) {
	for table, wanted := range object(r.input["RequestItems"]) {
		request := object(wanted)
		output := a.output
		if wide := widen(request, ""); wide != nil {
			input := map[string]any{"RequestItems": map[string]any{table: wide}}
			if output, err = r.ask(r.operation, input); err != nil {
				return u, err
			}
		}
		left := list(object(object(output["UnprocessedKeys"])[table])["Keys"])
		absent := len(list(request["Keys"])) - len(left)
		for _, item := range list(object(output["Responses"])[table]) {
			u.plus(reading(Size(object(item)), request))
			absent--
		}
		u.ReadUnits += float64(absent) * reading(0, request).ReadUnits
	}
	return u, nil
}

// readTransaction reads the items again, whole.
func (r *request) readTransaction() (u Usage, err error) {
	for _, one := range list(r.input["TransactItems"]) {
		get := object(object(one)["Get"])
		bytes, err := r.sizeAt(text(get["TableName"]), object(get["Key"]))
		if err != nil {
			return u, err
		}
		u.plus(Usage{ReadUnits: transactional * ReadUnits(bytes, true), ReadBytes: bytes})
	}
	return u, nil
}

// sizeAt gives the bytes of the item with a key, 0 where there is none.
func (r *request) sizeAt(table string, key map[string]any) (int, error) {
	output, err := r.ask("GetItem", map[string]any{
		"TableName": table, "Key": key, "ConsistentRead": true,
	})
	return Size(object(output["Item"])), err
}
