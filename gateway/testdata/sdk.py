"""Calls @connections with boto3: sdk.py OPEN CLOSED"""
import json
import sys

import boto3
from botocore.exceptions import ClientError

opened, closed = sys.argv[1:]
client = boto3.client("apigatewaymanagementapi")


def outcome(call, show=lambda answer: "ok"):
    try:
        return show(call())
    except client.exceptions.GoneException:
        return "GoneException"
    except ClientError as error:
        return error.response["Error"]["Code"]


data = "from the SDK: é".encode()
print(json.dumps({
    "get": outcome(lambda: client.get_connection(ConnectionId=opened),
                   lambda answer: answer["Identity"]["SourceIp"]),
    "post": outcome(lambda: client.post_to_connection(ConnectionId=opened, Data=data)),
    "gone": outcome(lambda: client.post_to_connection(ConnectionId=closed, Data=data)),
    "invalid": outcome(lambda: client.post_to_connection(ConnectionId="never-issued=", Data=data)),
    "delete": outcome(lambda: client.delete_connection(ConnectionId=opened)),
}))
