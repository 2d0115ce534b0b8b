"""Posts to a connection and tells which error Amazon's client makes of the answer."""
import json

import boto3


def handler(event, context):
    message = json.loads(event["body"])
    endpoint = {"endpoint_url": message["endpoint"]} if message["endpoint"] else {}
    client = boto3.client("apigatewaymanagementapi", **endpoint)
    try:
        client.post_to_connection(ConnectionId=message["id"], Data=b"x")
    except client.exceptions.GoneException:
        return {"statusCode": 200, "body": "GoneException"}
    except Exception as error:
        return {"statusCode": 200, "body": repr(error)}
    return {"statusCode": 200, "body": "posted"}
