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
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/dynamolocal"
)

// secret is the secret key of every function; its access key id is its logical id.
const secret = "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY"

// app is an example that runs.
type app struct {
	tb testing.TB
	*template
	url       string // of the stage, with wss: replaced by http:
	functions map[string]*function
	db        *dynamodb.Client
	rights    *rights
}

// start runs an example until the test ends: its tables, its functions and its API.
func start(tb testing.TB, name string) *app {
	tb.Helper()
	endpoint := dynamolocal.Start(tb)
	a := &app{tb: tb, template: load(tb, name), functions: map[string]*function{}}
	a.db = dynamolocal.Client(endpoint)
	for _, id := range a.ids("AWS::DynamoDB::Table", "AWS::Serverless::SimpleTable") {
		a.table(id)
	}
	a.rights = newRights(a.template)
	credentials := map[string]string{}
	for _, id := range a.ids("AWS::Serverless::Function", "AWS::Lambda::Function") {
		credentials[id] = secret
		a.functions[id] = newFunction(a.template, id)
	}
	routes := map[string]gateway.Route{}
	for key, id := range a.routes() {
		routes[key] = gateway.Route{Handler: a.functions[id], Timeout: patience}
	}
	api, err := gateway.New(gateway.Config{
		Stages: []gateway.Stage{{Name: a.stage()}}, Routes: routes,
		APIID: apiID, Region: region, Account: accountID,
		Credentials: credentials, ServeConnections: true,
		Logger: slog.New(slog.NewTextHandler(tb.Output(), nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(a.checked(api))
	a.url = server.URL + "/" + a.stage()
	a.connect(a.dynamoDB(endpoint))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := api.Shutdown(ctx, 1001, ""); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
		server.Close()
	})
	return a
}

// connect sets the variables by which every SDK finds DynamoDB and the API here instead of at AWS,
// after it has checked that the template names the API's own address.
func (a *app) connect(dynamoDB string) {
	const variable = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI="
	want := fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com/%s", apiID, region, a.stage())
	for id, f := range a.functions {
		for _, v := range f.env {
			if got, ok := strings.CutPrefix(v, variable); ok && got != want {
				a.tb.Errorf("%s posts to %s, want %s", id, got, want)
			}
		}
		if strings.Contains(strings.Join(f.env, "\n"), variable) {
			f.env = append(f.env, variable+a.url)
		}
		f.env = append(f.env, "AWS_ENDPOINT_URL_DYNAMODB="+dynamoDB)
	}
}

// table makes one of the template's tables. DynamoDB Local's own expiry stays off: what counts is
// what the functions make of it.
func (a *app) table(id string) {
	a.tb.Helper()
	a.tables[id] = fmt.Sprintf("%s-%d-%s", id, os.Getpid(), strings.ReplaceAll(a.tb.Name(), "/", "-"))
	properties := a.Resources[id].Properties
	input := &dynamodb.CreateTableInput{TableName: aws.String(a.tables[id]), BillingMode: types.BillingModePayPerRequest}
	var key string
	if a.Resources[id].Type == "AWS::Serverless::SimpleTable" {
		key = properties["PrimaryKey"].(map[string]any)["Name"].(string)
	} else {
		key = properties["KeySchema"].([]any)[0].(map[string]any)["AttributeName"].(string)
		ttl, _ := properties["TimeToLiveSpecification"].(map[string]any)
		if ttl["AttributeName"] != "expires" || ttl["Enabled"] != true || properties["BillingMode"] != "PAY_PER_REQUEST" {
			a.tb.Errorf("%s: want on-demand billing and expiry by the attribute expires", id)
		}
	}
	input.KeySchema = []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}}
	input.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}}
	if _, err := a.db.CreateTable(a.tb.Context(), input); err != nil {
		a.tb.Fatal(err)
	}
	a.tb.Cleanup(func() {
		a.db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: input.TableName})
	})
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
			resource := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s/@connections/{connectionId}",
				region, accountID, apiID, a.stage(), r.Method)
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
		resource := fmt.Sprintf("arn:aws:dynamodb:%s:%s:%s", region, accountID, table)
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

// settle waits until no function has anything to do.
func (a *app) settle() {
	a.tb.Helper()
	for id, f := range a.functions {
		eventually(a.tb, id+" is idle", func() bool { return f.busy.Load() == 0 })
	}
}

// coldStart ends all processes of all functions.
func (a *app) coldStart() {
	for _, f := range a.functions {
		f.stop()
	}
}

// rows gives the items of a table by their key.
func (a *app) rows(table, key string) map[string]map[string]types.AttributeValue {
	a.tb.Helper()
	out, err := a.db.Scan(a.tb.Context(), &dynamodb.ScanInput{
		TableName: aws.String(a.tables[table]), ConsistentRead: aws.Bool(true),
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
	_, err := a.db.PutItem(a.tb.Context(), &dynamodb.PutItemInput{TableName: aws.String(a.tables[table]), Item: item})
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
