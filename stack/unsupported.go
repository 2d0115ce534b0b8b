package stack

import (
	"slices"
	"strings"
)

// known are the types that run here, and those that have no effect and need none.
var known = []string{
	typeAPI, typeStage, typeRoute, typeIntegration, typeReply, typeRouteResponse,
	typeAuthorizer, typeDeployment,
	typeSocketAPI, typeFunction, typeSAMFunction, typeLayer, typeSAMLayer, typeAlias,
	typeVersion, typePermission,
	typeTable, typeSimpleTable, typeRule, "AWS::DynamoDB::GlobalTable", // named where they are read
	"AWS::ApiGateway::Account", "AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlan",
	"AWS::ApiGateway::UsagePlanKey", "AWS::ApiGatewayV2::DomainName",
	"AWS::ApiGatewayV2::ApiMapping",
	"AWS::Lambda::LayerVersionPermission", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy",
	"AWS::S3::BucketPolicy", "AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle",
	"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Route53::RecordSet",
	"AWS::CertificateManager::Certificate", "AWS::KMS::Key", "AWS::KMS::Alias",
	"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy",
}

// Meanings that several types share.
const (
	noHTTP    = "only WebSocket APIs run here: nothing answers the routes of this one"
	noNesting = "a nested stack does not run here: load its template by itself"
)

// meanings say what it means that a type does not run here.
var meanings = map[string]string{
	"AWS::ApiGatewayV2::Model": "request models are not checked: every message reaches" +
		" its function",
	"AWS::ApiGatewayV2::VpcLink": "private integrations do not run here",
	"AWS::Serverless::HttpApi":   noHTTP,
	"AWS::Serverless::Api":       noHTTP,
	"AWS::ApiGateway::RestApi":   noHTTP,
	"AWS::SQS::Queue": "a queue does not run here: what is sent to it fails," +
		" and nobody is called",
	"AWS::SNS::Topic": "a topic does not run here: publishing to it fails, and" +
		" nobody is called",
	"AWS::S3::Bucket":        "a bucket does not run here: calls of it fail",
	"AWS::Cognito::UserPool": "a user pool does not run here: nobody can sign in there",
	"AWS::Lambda::EventSourceMapping": "events of queues and streams do not run here: they call" +
		" no function",
	"AWS::Scheduler::Schedule": "schedules of EventBridge Scheduler do not run here, rules with" +
		" a rate do: this one calls nothing",
	"AWS::CloudFormation::Stack":   noNesting,
	"AWS::Serverless::Application": noNesting,
	"AWS::Lambda::Url":             "a function's URL does not run here: nothing answers it",
}

// quiet are the beginnings of types that have no effect here and need none.
var quiet = []string{"AWS::IAM::", "AWS::Logs::", "AWS::ApiGateway::", "AWS::Lambda::", "Custom::"}

// unsupported names what does not run here.
func (b *builder) unsupported() {
	for _, r := range b.resources {
		b.events(r)
		meaning, named := meanings[r.typ]
		switch {
		case named:
			b.warnf(r.id, r.entry, "%s", meaning)
		case slices.Contains(known, r.typ) || begins(quiet, r.typ):
		default:
			b.warnf(r.id, r.entry, "%s does not run here: calls of it fail", r.typ)
		}
	}
}

// events names what else calls a function of SAM.
func (b *builder) events(r *resource) {
	if r.typ != typeSAMFunction {
		return
	}
	for _, p := range b.prop(r, "Events").pairs {
		if p.value.get("Type").text == "Schedule" {
			continue // named where it is read
		}
		b.warnf(r.id, p.key, "the event %s of the type %s does not run here: the function is not"+
			" called by it", p.key.text, p.value.get("Type").text)
	}
	if url := b.prop(r, "FunctionUrlConfig"); url.kind == object {
		b.warnf(r.id, url, "%s", meanings["AWS::Lambda::Url"])
	}
}

func begins(prefixes []string, s string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
