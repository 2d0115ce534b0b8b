package egress

import (
	"regexp"
	"strings"
)

// domains are the domains of AWS's API endpoints (AWS General Reference, "AWS service endpoints":
// standard, China and dual-stack) and of function URLs.
var domains = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws"}

// IsAWS tells whether a host, without a port, is one of AWS's endpoints.
func IsAWS(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range domains {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// Patterns of the hosts of services, as Service.Hosts takes them. Endpoints of AWS have the region
// between the service and the domain; DynamoDB has some that begin with an account's number.
const (
	ExecuteAPI = `^[a-z0-9-]+\.execute-api(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$`
	DynamoDB   = `^(dynamodb(-fips)?|[0-9]{12}\.ddb)\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$`
	Lambda     = `^lambda(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$`
)

// anyHost is the pattern of all of AWS's hosts, in the words of Go and JavaScript alike.
func anyHost() string {
	quoted := make([]string, len(domains))
	for i, domain := range domains {
		quoted[i] = regexp.QuoteMeta(domain)
	}
	return `(^|\.)(` + strings.Join(quoted, "|") + `)$`
}
