"""What boto3 and urllib make of AWS hosts behind the gate; a line for each."""
import urllib.error
import urllib.request

import boto3

endpoint = "https://abc123.execute-api.ap-southeast-1.amazonaws.com/production"
client = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
try:
    client.post_to_connection(ConnectionId="gone=", Data=b"x")
except client.exceptions.GoneException:
    print("gone true")
print("tables", ",".join(boto3.client("dynamodb").list_tables()["TableNames"]))
for service, call in [
    ("sqs", lambda c: c.list_queues()),
    ("sns", lambda c: c.list_topics()),
    ("s3", lambda c: c.list_buckets()),
]:
    try:
        call(boto3.client(service))
    except Exception as error:
        print(service, error)
try:
    urllib.request.urlopen("https://sqs.us-east-1.amazonaws.com/")
except urllib.error.HTTPError as error:
    print("urllib", error.code)
