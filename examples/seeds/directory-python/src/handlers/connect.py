"""$connect: the query string says who it is, as ?name=alice."""
import json

from src.handlers import directory


def lambda_handler(event, context):
    name = (event.get("queryStringParameters") or {}).get("name", "")
    if not directory.NAME.fullmatch(name):
        problem = "name must be 1 to 32 letters, digits, _ . or -, and begin with one of the first three"
        return {"statusCode": 400, "body": json.dumps({"error": problem})}
    directory.add(name, event["requestContext"]["connectionId"])
    return {"statusCode": 200}
