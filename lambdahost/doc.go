// Package lambdahost is AWS Lambda on this machine: functions run in processes of their own behind
// the real Runtime API, and are invoked by a Go call or Lambda's Invoke API.
package lambdahost
