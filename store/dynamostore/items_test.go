package dynamostore_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// pk and sk give the parts of an item's key.
func pk(it item) string { return text(it["PK"]) }
func sk(it item) string { return text(it["SK"]) }

// text gives a string attribute, "" for another one.
func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// seqOf gives the number of a message's item, whose sort key is "M#" and 16 digits; 0 for others.
func seqOf(it item) uint64 {
	digits, ok := strings.CutPrefix(sk(it), "M#")
	if !ok || len(digits) != 16 {
		return 0
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// size is an item's size in bytes by the developer guide's page "DynamoDB item sizes and formats":
// names and values; a number takes a byte for two digits and one more; a list or map 3 bytes and
// one for each member.
func size(it item) int {
	n := 0
	for name, v := range it {
		n += len(name) + sizeOf(v)
	}
	return n
}

func sizeOf(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return (len(v.Value)+1)/2 + 1
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberSS:
		n := 0
		for _, s := range v.Value {
			n += len(s)
		}
		return n
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + size(v.Value)
	}
	return 1 // a boolean
}

// fromJSON reads items as the command line tools write them: {"PK":{"S":"R#tea"},…}.
func fromJSON(data []byte) ([]item, error) {
	var raw []map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	items := make([]item, len(raw))
	for i, attributes := range raw {
		it, err := attributesFrom(attributes)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		items[i] = it
	}
	return items, nil
}

func attributesFrom(raw map[string]map[string]json.RawMessage) (item, error) {
	it := item{}
	for name, typed := range raw {
		for kind, value := range typed {
			v, err := valueFrom(kind, value)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", name, err)
			}
			it[name] = v
		}
	}
	return it, nil
}

func valueFrom(kind string, raw json.RawMessage) (types.AttributeValue, error) {
	var s string
	var err error
	switch kind {
	case "S":
		err = json.Unmarshal(raw, &s)
		return &types.AttributeValueMemberS{Value: s}, err
	case "N":
		err = json.Unmarshal(raw, &s)
		return &types.AttributeValueMemberN{Value: s}, err
	case "B":
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		b, err := base64.StdEncoding.DecodeString(s)
		return &types.AttributeValueMemberB{Value: b}, err
	case "BOOL":
		var b bool
		err = json.Unmarshal(raw, &b)
		return &types.AttributeValueMemberBOOL{Value: b}, err
	case "SS":
		var set []string
		err = json.Unmarshal(raw, &set)
		return &types.AttributeValueMemberSS{Value: set}, err
	case "M":
		var nested map[string]map[string]json.RawMessage
		if err := json.Unmarshal(raw, &nested); err != nil {
			return nil, err
		}
		m, err := attributesFrom(nested)
		return &types.AttributeValueMemberM{Value: m}, err
	}
	return nil, fmt.Errorf("unknown type %q", kind)
}

// endOf gives the second at which an item expires, 0 where there is none.
func endOf(it item) int64 {
	if n, ok := it["x"].(*types.AttributeValueMemberN); ok {
		if end, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return end
		}
	}
	return 0
}
