package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/confab-chat/confab/chatapi"
)

// Defaults of the deployment.
const (
	defaultHeartbeat    = 120 * time.Second
	defaultMaxReceivers = 5000
)

// lambdaEnvironment is what Lambda itself sets (Developer Guide, "Using Lambda environment
// variables").
type lambdaEnvironment struct {
	region, function                   string
	accessKey, secretKey, sessionToken string
}

// settings is what the environment says.
type settings struct {
	lambdaEnvironment

	table    string // CONFAB_TABLE; "": this is the authorizer, which has none
	endpoint string // CONFAB_ENDPOINT: https://API.execute-api.REGION.amazonaws.com/STAGE

	dialect      string        // CONFAB_DIALECT
	origins      []string      // CONFAB_ORIGINS: pages that may connect, separated by commas
	heartbeat    time.Duration // CONFAB_HEARTBEAT_SECONDS
	maxReceivers int           // CONFAB_MAX_RECEIVERS
	lobby        bool          // CONFAB_LOBBY: on or off
	rate, burst  int           // CONFAB_RATE and CONFAB_BURST: actions a second of a connection; 0: 10 and 20

	issuer    string   // CONFAB_ISSUER; "": open mode
	audience  []string // CONFAB_AUDIENCE, separated by commas
	userClaim string   // CONFAB_USER_CLAIM; "": sub

	// AWS_ENDPOINT_URL_DYNAMODB and _LAMBDA, as the SDKs read them; "": AWS's own.
	dynamodbURL, lambdaURL string
}

// readSettings checks what the environment says. Every error names the variable.
func readSettings(get func(string) string) (s settings, err error) {
	s = settings{
		lambdaEnvironment: lambdaEnvironment{
			region: get("AWS_REGION"), function: get("AWS_LAMBDA_FUNCTION_NAME"),
			accessKey: get("AWS_ACCESS_KEY_ID"), secretKey: get("AWS_SECRET_ACCESS_KEY"),
			sessionToken: get("AWS_SESSION_TOKEN"),
		},
		table: get("CONFAB_TABLE"), endpoint: strings.TrimSuffix(get("CONFAB_ENDPOINT"), "/"),
		dialect: get("CONFAB_DIALECT"), origins: list(get("CONFAB_ORIGINS")),
		issuer: get("CONFAB_ISSUER"), audience: list(get("CONFAB_AUDIENCE")),
		userClaim:   get("CONFAB_USER_CLAIM"),
		dynamodbURL: get("AWS_ENDPOINT_URL_DYNAMODB"), lambdaURL: get("AWS_ENDPOINT_URL_LAMBDA"),
	}
	if s.table != "" && s.endpoint == "" {
		return s, fmt.Errorf("CONFAB_ENDPOINT is missing: the address of the stage, with https://")
	}
	if s.dialect != "" && !slices.Contains(chatapi.Dialects(), s.dialect) {
		return s, fmt.Errorf("CONFAB_DIALECT is %q, want one of %s", s.dialect,
			strings.Join(chatapi.Dialects(), ", "))
	}
	seconds, err := number(get, "CONFAB_HEARTBEAT_SECONDS", int(defaultHeartbeat/time.Second))
	if err != nil {
		return s, err
	}
	s.heartbeat = time.Duration(seconds) * time.Second
	if s.maxReceivers, err = number(get, "CONFAB_MAX_RECEIVERS", defaultMaxReceivers); err != nil {
		return s, err
	}
	if s.rate, err = number(get, "CONFAB_RATE", 0); err != nil {
		return s, err
	}
	if s.burst, err = number(get, "CONFAB_BURST", 0); err != nil {
		return s, err
	}
	switch lobby := get("CONFAB_LOBBY"); lobby {
	case "", "on":
		s.lobby = true
	case "off":
	default:
		return s, fmt.Errorf("CONFAB_LOBBY is %q, want on or off", lobby)
	}
	return s, nil
}

func number(get func(string) string, name string, otherwise int) (int, error) {
	text := get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %q, want a number from 1 on", name, text)
	}
	return n, nil
}

// list parts a text at its commas.
func list(text string) (values []string) {
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			values = append(values, value)
		}
	}
	return values
}
