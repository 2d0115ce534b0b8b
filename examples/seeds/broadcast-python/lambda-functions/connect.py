"""$connect: remembers the connection for as long as it can live."""
import os
import time

import boto3

MAX_LIFE = 2 * 60 * 60  # seconds; API Gateway ends every connection after two hours

dynamodb = boto3.client("dynamodb")


def lambda_handler(event, context):
    # When this fails, API Gateway refuses the connection: nobody is here who gets no messages.
    dynamodb.put_item(
        TableName=os.environ["WEBSOCKET_TABLE"],
        Item={
            "connectionId": {"S": event["requestContext"]["connectionId"]},
            "expires": {"N": str(int(time.time()) + MAX_LIFE)},  # should $disconnect get lost
        },
    )
    return {"statusCode": 200}
