package stack

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// The types that are more than a name here.
const (
	typeAPI           = "AWS::ApiGatewayV2::Api"
	typeStage         = "AWS::ApiGatewayV2::Stage"
	typeRoute         = "AWS::ApiGatewayV2::Route"
	typeIntegration   = "AWS::ApiGatewayV2::Integration"
	typeReply         = "AWS::ApiGatewayV2::IntegrationResponse"
	typeRouteResponse = "AWS::ApiGatewayV2::RouteResponse"
	typeAuthorizer    = "AWS::ApiGatewayV2::Authorizer"
	typeDeployment    = "AWS::ApiGatewayV2::Deployment"
	typeSocketAPI     = "AWS::Serverless::WebSocketApi"
	typeFunction      = "AWS::Lambda::Function"
	typeSAMFunction   = "AWS::Serverless::Function"
	typeLayer         = "AWS::Lambda::LayerVersion"
	typeSAMLayer      = "AWS::Serverless::LayerVersion"
	typeAlias         = "AWS::Lambda::Alias"
	typeVersion       = "AWS::Lambda::Version"
	typePermission    = "AWS::Lambda::Permission"
	typeTable         = "AWS::DynamoDB::Table"
	typeSimpleTable   = "AWS::Serverless::SimpleTable"
	typeRole          = "AWS::IAM::Role"
	typeRule          = "AWS::Events::Rule"
)

// nameOf has the property that names a resource, where it is not simply Name.
var nameOf = map[string]string{
	typeFunction: "FunctionName", typeSAMFunction: "FunctionName", typeTable: "TableName",
	typeSimpleTable: "TableName", typeRole: "RoleName", typeStage: "StageName",
	typeSocketAPI: "Name", typeLayer: "LayerName", typeSAMLayer: "LayerName",
	"AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName", "AWS::S3::Bucket": "BucketName",
	"AWS::Logs::LogGroup": "LogGroupName", "AWS::Kinesis::Stream": "StreamName",
	"AWS::ApiGatewayV2::DomainName": "DomainName",
}

// hash gives n lower-case letters and digits that stay the same for a resource, a letter first.
func (t *template) hash(id string, n int) string {
	sum := sha256.Sum256([]byte(t.stack + "/" + id))
	text := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
	return string(rune('a'+sum[31]%26)) + text[:n-1]
}

// name gives the name of a resource: what its property says, else one made of the stack's name and
// its logical id, as CloudFormation does, but without the random end.
func (t *template) name(r *resource) (string, error) {
	property := nameOf[r.typ]
	if property == "" {
		property = "Name"
	}
	if v := r.props.get(property); v.kind != null {
		got, err := t.resolve(v)
		if err != nil || got != noValue && got.text != "" {
			return v.at(got.orEmpty()).text, err
		}
	}
	if r.typ == "AWS::S3::Bucket" {
		return strings.ToLower(t.stack + "-" + r.id), nil
	}
	return t.stack + "-" + r.id, nil
}

// orEmpty is the text of a value that may be nil.
func (v *value) orEmpty() string {
	if v == nil {
		return ""
	}
	return v.text
}

// ref gives what Ref of a parameter, pseudo parameter or resource gives.
func (t *template) ref(to *value) (*value, error) {
	if to.kind != text {
		return nil, fail(to, "Ref needs a name")
	}
	switch to.text {
	case "AWS::NoValue":
		return noValue, nil
	case "AWS::NotificationARNs":
		return &value{kind: list, line: to.line, col: to.col}, nil
	}
	if pseudo, ok := t.pseudo(to.text); ok {
		return to.at(pseudo), nil
	}
	if p := t.parameters[to.text]; p != nil {
		return p, nil
	}
	if r := t.find(to.text); r != nil {
		id, err := t.physical(r)
		return to.at(id), err
	}
	return nil, t.unknown(to, to.text)
}

// pseudo gives a pseudo parameter.
func (t *template) pseudo(name string) (string, bool) {
	switch name {
	case "AWS::Region":
		return t.region, true
	case "AWS::AccountId":
		return t.account, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	case "AWS::StackName":
		return t.stack, true
	case "AWS::StackId":
		return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%s",
			t.region, t.account, t.stack, t.hash("", 12)), true
	}
	return "", false
}

// unknown says why a name leads nowhere.
func (t *template) unknown(at *value, id string) error {
	if entry := t.root.get("Resources", id); entry.kind != null {
		return fail(at, "%s is not there: its condition does not hold", id)
	}
	if t.root.get("Parameters").has(id) {
		return fail(at, "the parameter %s has no value", id)
	}
	return fail(at, "there is no resource or parameter %q", id)
}

// physical gives what Ref of a resource gives. It is never empty.
func (t *template) physical(r *resource) (string, error) {
	if t.naming[r] {
		return "", fail(r.entry, "the name of %s depends on itself", r.id)
	}
	t.naming[r] = true
	defer delete(t.naming, r)
	name, err := t.name(r)
	if err != nil {
		return "", err
	}
	switch r.typ {
	case typeAPI, typeSocketAPI, "AWS::ApiGateway::RestApi", "AWS::Serverless::Api", "AWS::Serverless::HttpApi":
		return t.hash(r.id, 10), nil
	case typeRoute, typeIntegration, typeAuthorizer, typeDeployment, typeReply, typeRouteResponse,
		"AWS::ApiGatewayV2::Model", "AWS::ApiGatewayV2::ApiMapping":
		return t.hash(r.id, 7), nil
	case typeStage:
		return t.text(r, "StageName"), nil
	case typeAlias, typeVersion:
		return t.qualified(r)
	case typeLayer, typeSAMLayer, "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine",
		"AWS::SecretsManager::Secret", "AWS::Events::Connection":
		return t.arn(r, name), nil
	case "AWS::SQS::Queue":
		return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", t.region, t.account, name), nil
	case "AWS::Cognito::UserPool":
		return t.region + "_" + t.hash(r.id, 9), nil
	case "AWS::Cognito::UserPoolClient":
		return t.hash(r.id, 26), nil
	}
	return name, nil
}

// qualified gives the ARN of a version or an alias of a function.
func (t *template) qualified(r *resource) (string, error) {
	qualifier := "1"
	if r.typ == typeAlias {
		qualifier = t.text(r, "Name")
	}
	function, err := t.resolve(r.props.get("FunctionName"))
	if err != nil {
		return "", err
	}
	return t.functionARN(functionName(function.text)) + ":" + qualifier, nil
}

// functionARN gives the ARN of the function of a name.
func (t *template) functionARN(name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", t.region, t.account, name)
}

// functionName gives the name in a function's name, partial or whole ARN, without qualifier.
func functionName(s string) string {
	if _, rest, ok := strings.Cut(s, ":function:"); ok {
		s = rest
	}
	name, _, _ := strings.Cut(s, ":")
	return name
}

// arn gives the ARN of a resource with the name.
func (t *template) arn(r *resource, name string) string {
	service, path := "", ""
	if parts := strings.Split(r.typ, "::"); len(parts) == 3 {
		service = strings.ToLower(parts[1])
	}
	switch r.typ {
	case typeFunction, typeSAMFunction:
		return t.functionARN(name)
	case typeTable, typeSimpleTable:
		service, path = "dynamodb", "table/"
	case typeLayer, typeSAMLayer:
		service, path, name = "lambda", "layer:", name+":1"
	case typeRole:
		return fmt.Sprintf("arn:aws:iam::%s:role/%s", t.account, name)
	case typeRule:
		path = "rule/"
	case "AWS::S3::Bucket":
		return "arn:aws:s3:::" + name
	case "AWS::Logs::LogGroup":
		path, name = "log-group:", name+":*"
	case "AWS::StepFunctions::StateMachine":
		service, path = "states", "stateMachine:"
	case "AWS::SecretsManager::Secret":
		path = "secret:"
	case "AWS::Cognito::UserPool":
		service, path, name = "cognito-idp", "userpool/", t.region+"_"+t.hash(r.id, 9)
	case "AWS::Kinesis::Stream":
		path = "stream/"
	}
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s%s", service, t.region, t.account, path, name)
}

// getAtt gives an attribute of a resource, named by a list or by id.attribute.
func (t *template) getAtt(name, argument *value) (*value, error) {
	if argument.kind == text {
		argument = splitAttribute(argument)
	}
	args, err := arguments(name, argument, 2)
	if err != nil {
		return nil, err
	}
	attribute, err := t.resolveText(args[1], name.text)
	if err != nil {
		return nil, err
	}
	return t.attribute(args[0], args[0].text, attribute)
}

// attribute gives an attribute of a resource. It is never empty.
func (t *template) attribute(at *value, id, attribute string) (*value, error) {
	r := t.find(id)
	if r == nil {
		return nil, t.unknown(at, id)
	}
	if attribute == "" {
		return nil, fail(at, "an attribute of %s is missing", id)
	}
	ref, err := t.physical(r)
	if err != nil {
		return nil, err
	}
	name, err := t.name(r)
	if err != nil {
		return nil, err
	}
	switch {
	case attribute == "Arn", strings.HasSuffix(attribute, "Arn") && attribute != "StreamArn":
		return at.at(t.arn(r, name)), nil
	case attribute == "StreamArn", attribute == "LatestStreamArn":
		return at.at(t.arn(r, name) + "/stream/2026-01-01T00:00:00.000"), nil
	case attribute == "ApiEndpoint":
		return at.at(fmt.Sprintf("%s://%s.execute-api.%s.amazonaws.com", t.scheme(r), ref, t.region)), nil
	case strings.HasSuffix(attribute, "Name"):
		return at.at(name), nil
	case strings.HasSuffix(attribute, "Id"):
		return at.at(ref), nil
	}
	return at.at(name + "-" + strings.ReplaceAll(attribute, ".", "-")), nil
}

// scheme is how the URLs of an API begin.
func (t *template) scheme(r *resource) string {
	if r.typ == typeSocketAPI || strings.EqualFold(t.text(r, "ProtocolType"), "WEBSOCKET") {
		return "wss"
	}
	return "https"
}
