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

// read gives the units of an answered read, 0 of anything else.
func (r *request) read(a answer) (units float64, err error) {
	switch r.operation {
	case "GetItem":
		output, err := r.whole(r.input, a.output, "")
		return ReadUnits(Size(object(output["Item"])), r.input["ConsistentRead"] == true), err
	case "Query", "Scan":
		condition := text(r.input["KeyConditionExpression"])
		output, err := r.whole(r.input, a.output, condition)
		bytes := 0
		for _, item := range list(output["Items"]) {
			bytes += Size(object(item))
		}
		return ReadUnits(bytes, r.input["ConsistentRead"] == true), err
	case "BatchGetItem":
		return r.readBatch(a)
	case "TransactGetItems":
		return r.readTransaction()
	}
	return 0, nil
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
func (r *request) readBatch(a answer) (units float64, err error) {
	for table, wanted := range object(r.input["RequestItems"]) {
		request := object(wanted)
		consistent := request["ConsistentRead"] == true
		output := a.output
		if wide := widen(request, ""); wide != nil {
			input := map[string]any{"RequestItems": map[string]any{table: wide}}
			if output, err = r.ask(r.operation, input); err != nil {
				return 0, err
			}
		}
		left := list(object(object(output["UnprocessedKeys"])[table])["Keys"])
		absent := len(list(request["Keys"])) - len(left)
		for _, item := range list(object(output["Responses"])[table]) {
			units += ReadUnits(Size(object(item)), consistent)
			absent--
		}
		units += float64(absent) * ReadUnits(0, consistent)
	}
	return units, nil
}

// readTransaction reads the items again, whole.
func (r *request) readTransaction() (units float64, err error) {
	for _, one := range list(r.input["TransactItems"]) {
		get := object(object(one)["Get"])
		bytes, err := r.sizeAt(text(get["TableName"]), object(get["Key"]))
		if err != nil {
			return 0, err
		}
		units += transactional * ReadUnits(bytes, true)
	}
	return units, nil
}

// sizeAt gives the bytes of the item with a key, 0 where there is none.
func (r *request) sizeAt(table string, key map[string]any) (int, error) {
	output, err := r.ask("GetItem", map[string]any{
		"TableName": table, "Key": key, "ConsistentRead": true,
	})
	return Size(object(output["Item"])), err
}
