"""users: tells the caller who has ever come, and who is connected now."""
import boto3

from src.handlers import directory

MOST = 1000  # users in one answer, which may have 128 KB

gateway = boto3.client("apigatewaymanagementapi")  # its address is set by the template


def lambda_handler(event, context):
    contacts = [
        {"name": row["id"], "status": bool(directory.open_connections(row))}
        for row in everybody()
    ]
    frame = {"action": "users", "contacts": sorted(contacts, key=lambda contact: contact["name"])}
    directory.post(gateway, event["requestContext"]["connectionId"], frame)
    return {"statusCode": 200}


def everybody():
    """Gives up to MOST rows of the table; a Scan answers in pages of 1 MB."""
    rows, start = [], {}
    while len(rows) < MOST:
        page = directory.users.scan(Limit=MOST - len(rows), **start)
        rows += page["Items"]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return rows
