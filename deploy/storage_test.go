package deploy

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// all gives the items of the table by their keys.
func (f *function) all() map[string]map[string]types.AttributeValue {
	f.tb.Helper()
	items := map[string]map[string]types.AttributeValue{}
	pages := dynamodb.NewScanPaginator(f.direct, &dynamodb.ScanInput{TableName: &f.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(f.tb.Context())
		if err != nil {
			f.tb.Fatal(err)
		}
		for _, it := range page.Items {
			pk, _ := it["PK"].(*types.AttributeValueMemberS)
			sk, _ := it["SK"].(*types.AttributeValueMemberS)
			items[pk.Value+" "+sk.Value] = it
		}
	}
	return items
}

// measureStorage gives the bytes of the items that a message adds to the table: of the one that stays,
// and of the one that expires.
func measureStorage(t *testing.T) (message, receipt float64) {
	t.Helper()
	f := start(t)
	f.event("$connect", "CONNECT", "")
	f.event("joinRoom", "MESSAGE", `{"action":"joinRoom","id":"j","room":"`+room+`"}`)
	before := f.all()
	f.event("sendMessage", "MESSAGE",
		`{"action":"sendMessage","id":"message-1","room":"`+room+`","message":"`+usual+`"}`)
	for key, it := range f.all() {
		if before[key] != nil {
			continue
		}
		bytes, err := bytesOf([]map[string]types.AttributeValue{it})
		if err != nil {
			t.Fatal(err)
		}
		_, expires := it["x"]
		switch {
		case strings.HasPrefix(key, "R#") && !expires:
			message += float64(bytes)
		case expires:
			receipt += float64(bytes)
		default:
			t.Errorf("a message adds %s, which stays", key)
		}
	}
	if message == 0 || receipt == 0 {
		t.Errorf("a message adds %v bytes that stay and %v that expire", message, receipt)
	}
	return message, receipt
}
