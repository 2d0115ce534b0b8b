"""$disconnect: forgets the connection."""
import os

import boto3

dynamodb = boto3.client("dynamodb")


def lambda_handler(event, context):
    dynamodb.delete_item(
        TableName=os.environ["WEBSOCKET_TABLE"],
        Key={"connectionId": {"S": event["requestContext"]["connectionId"]}},
    )
    return {"statusCode": 200}
