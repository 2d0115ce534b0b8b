"""Who is connected, and posts to them.

UsersTable has a row for everybody who ever came: `id` is the name, `connections` maps the ids of
the open connections to the second in which they end at the latest. ConnectionsTable says whose a
connection is.
"""
import json
import os
import re
import time

import boto3

MAX_LIFE = 2 * 60 * 60  # seconds; API Gateway ends every connection after two hours
SETTLING = 30  # seconds in which a 410 can mean "not open yet" instead of "closed"
NAME = re.compile(r"\w[\w.-]{0,31}", re.ASCII)

tables = boto3.resource("dynamodb")
users = tables.Table(os.environ["USERS_TABLE"])
connections = tables.Table(os.environ["CONNECTIONS_TABLE"])


class Refused(Exception):
    """What the client did wrong, in words for the client."""


def now():
    return int(time.time())


def add(user, connection_id):
    """Records a connection of a user, beside those that the user has already."""
    expires = now() + MAX_LIFE
    connections.put_item(Item={"connection_id": connection_id, "user_id": user, "expires": expires})
    users.update_item(
        Key={"id": user},
        UpdateExpression="SET connections = if_not_exists(connections, :none)",
        ExpressionAttributeValues={":none": {}},
    )
    users.update_item(
        Key={"id": user},
        UpdateExpression="SET connections.#id = :expires",
        ExpressionAttributeNames={"#id": connection_id},
        ExpressionAttributeValues={":expires": expires},
    )


def remove(connection_id):
    """Forgets one connection; the user, and the user's other connections, stay."""
    key = {"connection_id": connection_id}
    row = connections.delete_item(Key=key, ReturnValues="ALL_OLD").get("Attributes")
    if row:
        users.update_item(
            Key={"id": row["user_id"]},
            UpdateExpression="REMOVE connections.#id",
            ExpressionAttributeNames={"#id": connection_id},
        )


def user_of(connection_id):
    """Gives the user whose connection this is."""
    row = connections.get_item(Key={"connection_id": connection_id}, ConsistentRead=True).get("Item")
    if not row:
        raise Refused("connect again: this connection is not known")
    return row["user_id"]


def open_connections(row):
    """Gives the ids of the connections in a row of UsersTable, each with its last second."""
    return {key: end for key, end in row.get("connections", {}).items() if end > now()}


def post(gateway, connection_id, frame):
    """Posts a frame to a connection and tells whether it is open."""
    try:
        gateway.post_to_connection(ConnectionId=connection_id, Data=json.dumps(frame).encode())
        return True
    except gateway.exceptions.GoneException:
        return False
