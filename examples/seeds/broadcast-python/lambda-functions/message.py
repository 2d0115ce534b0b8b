"""sendMessage: keeps a message and pushes its bare text to everybody else."""
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import boto3
from botocore.config import Config

CONNECTIONS = os.environ["WEBSOCKET_TABLE"]
MESSAGES = os.environ["MESSAGES_TABLE"]
MAX_LENGTH = 4000  # characters of a message
MAX_LIFE = 2 * 60 * 60  # seconds of a connection, as in connect.py
SETTLING = 30  # seconds in which a 410 can mean "not open yet" instead of "closed"
KEEP = 30 * 24 * 60 * 60  # seconds that a message is kept
PARALLEL = 16  # posts at once

dynamodb = boto3.client("dynamodb")
# The address is in AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, set by the template.
gateway = boto3.client("apigatewaymanagementapi", config=Config(
    connect_timeout=2, read_timeout=3, max_pool_connections=PARALLEL,
    retries={"mode": "standard", "total_max_attempts": 3},
))


def lambda_handler(event, context):
    request = event["requestContext"]
    try:
        message = text_of(json.loads(event["body"]))
    except ValueError as problem:
        answer = {"error": str(problem), "requestId": request["requestId"]}
        post(request["connectionId"], json.dumps(answer).encode())
        return {"statusCode": 400}
    keep(message, request["connectionId"])  # first: what others have seen is never lost
    broadcast(message.encode(), besides=request["connectionId"])
    return {"statusCode": 200}


def text_of(body):
    """Gives the text of a request, or raises ValueError with what the client did wrong."""
    message = body.get("message")
    if not isinstance(message, str) or not message.strip():
        raise ValueError("message must be a text, and not empty")
    if len(message) > MAX_LENGTH:
        raise ValueError(f"message must have at most {MAX_LENGTH} characters")
    if any("\ud800" <= c <= "\udfff" for c in message):
        raise ValueError("message must be valid Unicode")
    return message


def keep(message, sender):
    dynamodb.put_item(TableName=MESSAGES, Item={
        "messageId": {"S": str(uuid.uuid4())},
        "connectionId": {"S": sender},
        "message": {"S": message},
        "sentAt": {"S": datetime.now(timezone.utc).isoformat(timespec="milliseconds")},
        "expires": {"N": str(int(time.time()) + KEEP)},
    })


def broadcast(data, besides):
    """Posts to all connections but one; raises, so that the sender is told, if it fails for some."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        posts = [pool.submit(deliver, *row, data) for row in open_connections() if row[0] != besides]
    failures = [post.exception() for post in posts if post.exception()]
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(posts)} posts failed") from failures[0]


def open_connections():
    """Yields the id and expiry of every connection; a Scan answers in pages of 1 MB."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=CONNECTIONS,
        FilterExpression="expires > :now",  # DynamoDB deletes expired rows days late
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )
    for page in pages:
        for row in page["Items"]:
            yield row["connectionId"]["S"], int(row["expires"]["N"])


def deliver(connection_id, expires, data):
    """Posts to one connection and forgets it if it is closed."""
    if post(connection_id, data):
        return
    if expires < time.time() + MAX_LIFE - SETTLING:
        dynamodb.delete_item(TableName=CONNECTIONS, Key={"connectionId": {"S": connection_id}})


def post(connection_id, data):
    """Posts to one connection and tells whether it is open."""
    try:
        gateway.post_to_connection(ConnectionId=connection_id, Data=data)
        return True
    except gateway.exceptions.GoneException:
        return False
