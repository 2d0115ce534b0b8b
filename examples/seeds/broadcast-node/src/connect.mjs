// $connect: remembers the connection for as long as it can live.
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { MAX_LIFE, TABLE, now, table } from "./connections.mjs";

export async function handler(event) {
  const { connectionId } = event.requestContext;
  // When this fails, API Gateway refuses the connection: nobody is here who gets no messages.
  await table.send(new PutCommand({
    TableName: TABLE,
    Item: { connectionId, expires: now() + MAX_LIFE }, // should $disconnect get lost
  }));
  return { statusCode: 200 };
}
