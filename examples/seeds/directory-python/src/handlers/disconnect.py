"""$disconnect: this connection is no longer one of its user's."""
from src.handlers import directory


def lambda_handler(event, context):
    directory.remove(event["requestContext"]["connectionId"])
    return {"statusCode": 200}
