"""send: pushes a message to every connection of one user."""
import json

import boto3

from src.handlers import directory

MAX_LENGTH = 4000  # characters of a message

gateway = boto3.client("apigatewaymanagementapi")  # its address is set by the template


def lambda_handler(event, context):
    request = event["requestContext"]
    try:
        send(json.loads(event["body"]), directory.user_of(request["connectionId"]))
        return {"statusCode": 200}
    except directory.Refused as problem:
        answer = {"error": str(problem), "requestId": request["requestId"]}
        directory.post(gateway, request["connectionId"], answer)
        return {"statusCode": 400}


def send(body, user):
    """Delivers what a user asks for, or raises Refused."""
    message, to = body.get("message"), body.get("send_to")
    if not isinstance(message, str) or not message.strip() or len(message) > MAX_LENGTH:
        raise directory.Refused(f"message must be a text of 1 to {MAX_LENGTH} characters")
    if not isinstance(to, str) or not directory.NAME.fullmatch(to):
        raise directory.Refused("send_to must be the name of a user")
    for member in ("sent_by", "send_by"):  # clients send either; neither decides who it is
        if body.get(member, user) != user:
            raise directory.Refused(f"{member} must be your own name, {user}")
    row = directory.users.get_item(Key={"id": to}, ConsistentRead=True).get("Item", {})
    frame = {"action": "send", "sent_by": user, "message": message}
    delivered = [deliver(*connection, frame) for connection in directory.open_connections(row).items()]
    if not any(delivered):
        raise directory.Refused(f"{to} is not connected")


def deliver(connection_id, expires, frame):
    """Posts to one connection and forgets it if it is closed; tells whether it is open."""
    if directory.post(gateway, connection_id, frame):
        return True
    if expires < directory.now() + directory.MAX_LIFE - directory.SETTLING:
        directory.remove(connection_id)
    return False
