package dynamostore_test

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// pk and sk give the parts of an item's key.
func pk(it item) string { return text(it["PK"]) }
func sk(it item) string { return text(it["SK"]) }

func text(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// seqOf gives the number of a message's sort key, "M#" and 16 digits; 0 for other keys.
func seqOf(sk string) uint64 {
	digits, ok := strings.CutPrefix(sk, "M#")
	if !ok || len(digits) != 16 {
		return 0
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
