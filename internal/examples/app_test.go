package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// secret is the secret key of every function; its access key id is its logical id.
const secret = "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY"

// What stands for an account in the tests.
const (
	region    = "us-east-1"
	accountID = "000000000000"
	patience  = time.Minute // how long a test waits for what must come
)

// folder is where an example lives.
func folder(name string) string { return filepath.Join(tools.Root(), "examples", "seeds", name) }

// app is an example that runs.
type app struct {
	tb     testing.TB
	stack  *stack.Stack
	host   *lambdahost.Host
	url    string // of the stage, with wss: replaced by http:
	busy   atomic.Int32
	db     *dynamodb.Client
	rights *rights
}

// start runs an example until the test ends: its tables, its functions and its API.
func start(tb testing.TB, name string) *app {
	tb.Helper()
	endpoint := dynamolocal.Start(tb)
	a := &app{tb: tb, db: dynamolocal.Client(endpoint)}
	host, config := newHost(tb)
	a.host = host
	a.load(name, config)
	a.checkTables()
	a.rights = newRights(tb, a.stack)
	handler := make(chan http.Handler, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := <-handler // it is deployed
		handler <- h
		h.ServeHTTP(w, r)
	}))
	a.url = server.URL + "/" + a.stack.APIs[0].Stages[0].Name
	d, err := a.stack.Deploy(tb.Context(), stack.Target{
		Host: host, DynamoDB: endpoint, Prepare: a.prepare(a.dynamoDB(endpoint)), Invoke: a.invoke,
		Configure: a.configure, Logger: slog.New(slog.NewTextHandler(tb.Output(), nil)),
		Warn: func(_ stack.Call, warning string) { tb.Log(warning) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	handler <- a.checked(d)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			tb.Errorf("Close: %v", err)
		}
		server.Close()
	})
	return a
}

// load loads the example's template, in which there must be nothing to report but what its functions
// answer to who invokes them directly.
func (a *app) load(name string, config lambdahost.Config) {
	a.tb.Helper()
	s, diagnostics, err := stack.Load(stack.Options{
		Dir: folder(name), StackName: stackName(a.tb), Region: region, Account: accountID, Lambda: config,
	})
	for _, d := range diagnostics {
		if d.Severity != stack.Info || !strings.Contains(d.Text, "has no route response") {
			a.tb.Error(d)
		}
	}
	if err != nil {
		a.tb.Fatal(err)
	}
	if a.stack = s; len(s.APIs) != 1 || len(s.APIs[0].Stages) != 1 {
		a.tb.Fatalf("%s has %d APIs, want one with one stage", name, len(s.APIs))
	}
	for _, r := range s.APIs[0].Stages[0].Routes {
		r.Timeout = patience
	}
	a.tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			a.tb.Errorf("close the stack: %v", err)
		}
	})
}

// configure lets every function call @connections with its own credentials.
func (a *app) configure(_ *stack.API, config *gateway.Config) {
	config.Credentials = map[string]string{}
	for _, f := range a.stack.Functions {
		config.Credentials[f.LogicalID] = secret
	}
}

// checkTables checks what a table costs and keeps, and has all tables deleted in the end.
func (a *app) checkTables() {
	a.tb.Helper()
	for _, t := range a.stack.Tables {
		if !t.OnDemand || t.TTL != "expires" && t.LogicalID != "UsersTable" {
			a.tb.Errorf("%s: want on-demand billing and expiry by the attribute expires", t.LogicalID)
		}
		a.tb.Cleanup(func() {
			a.db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &t.Name})
		})
	}
}

// table gives the name of a table.
func (a *app) table(id string) *string {
	a.tb.Helper()
	for _, t := range a.stack.Tables {
		if t.LogicalID == id {
			return &t.Name
		}
	}
	a.tb.Fatalf("there is no table %s", id)
	return nil
}

// caller finds who has signed a request.
var caller = regexp.MustCompile(`Credential=(\w+)/`)

// signedBy gives the function that has signed a request.
func signedBy(r *http.Request) string {
	if m := caller.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		return m[1]
	}
	return ""
}

// checked is the API behind the rights of the functions, as AWS evaluates them: the resource ends in
// the template's own words "{connectionId}".
func (a *app) checked(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := strings.Cut(r.URL.Path, "/@connections/"); ok {
			own := a.stack.APIs[0]
			resource := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s/@connections/{connectionId}",
				region, accountID, own.ID, own.Stages[0].Name, r.Method)
			if !a.rights.allow(signedBy(r), "execute-api:ManageConnections", resource) {
				denied(w)
				return
			}
		}
		api.ServeHTTP(w, r)
	})
}

// dynamoDB serves DynamoDB Local behind the rights of the functions and gives its URL. A Scan answers in
// pages of one item, as it does on AWS in pages of 1 MB.
func (a *app) dynamoDB(endpoint string) string {
	a.tb.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		a.tb.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request map[string]json.RawMessage
		var table string
		err := json.NewDecoder(r.Body).Decode(&request)
		if err != nil || json.Unmarshal(request["TableName"], &table) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		resource := fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", region, accountID, table)
		if !a.rights.allow(signedBy(r), "dynamodb:"+action, resource) {
			denied(w)
			return
		}
		if action == "Scan" {
			request["Limit"] = json.RawMessage("1")
		}
		body, err := json.Marshal(request)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	}))
	a.tb.Cleanup(server.Close)
	return server.URL
}

// denied answers as AWS does to who has no right.
func denied(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized"}`)
}

// rows gives the items of a table by their key.
func (a *app) rows(table, key string) map[string]map[string]types.AttributeValue {
	a.tb.Helper()
	out, err := a.db.Scan(a.tb.Context(), &dynamodb.ScanInput{
		TableName: a.table(table), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		a.tb.Fatal(err)
	}
	all := map[string]map[string]types.AttributeValue{}
	for _, item := range out.Items {
		all[text(item[key])] = item
	}
	return all
}

// put writes a row; values are texts, numbers and maps of numbers.
func (a *app) put(table string, row map[string]any) {
	a.tb.Helper()
	item := map[string]types.AttributeValue{}
	for name, v := range row {
		item[name] = value(v)
	}
	_, err := a.db.PutItem(a.tb.Context(), &dynamodb.PutItemInput{TableName: a.table(table), Item: item})
	if err != nil {
		a.tb.Fatal(err)
	}
}

func value(v any) types.AttributeValue {
	switch v := v.(type) {
	case int64:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
	case map[string]int64:
		m := map[string]types.AttributeValue{}
		for name, n := range v {
			m[name] = value(n)
		}
		return &types.AttributeValueMemberM{Value: m}
	}
	return &types.AttributeValueMemberS{Value: fmt.Sprint(v)}
}

// text gives a text or a number of a row.
func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}
