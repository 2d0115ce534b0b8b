// The table of open connections, and posts to them.
import {
  ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb";

export const TABLE = process.env.TABLE_NAME;
export const MAX_LIFE = 2 * 60 * 60; // seconds; API Gateway ends every connection after two hours
const SETTLING = 30; // seconds in which a 410 can mean "not open yet" instead of "closed"
const PAGE = 50; // connections that are read, and posted to, at once

export const table = DynamoDBDocumentClient.from(new DynamoDBClient());
// The address is in AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, set by the template.
export const gateway = new ApiGatewayManagementApiClient();

export const now = () => Math.floor(Date.now() / 1000);

export async function forget(connectionId) {
  await table.send(new DeleteCommand({ TableName: TABLE, Key: { connectionId } }));
}

/** Posts to one connection and tells whether it is open. */
export async function post(connectionId, text) {
  try {
    await gateway.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: text }));
    return true;
  } catch (error) {
    if (error instanceof GoneException) return false;
    throw error;
  }
}

/** Posts to all connections but one; fails, so that the sender is told, if it fails for some. */
export async function broadcast(text, besides) {
  const failures = [];
  const pages = paginateScan({ client: table, pageSize: PAGE }, {
    TableName: TABLE,
    FilterExpression: "expires > :now AND connectionId <> :besides", // TTL deletes days late
    ExpressionAttributeValues: { ":now": now(), ":besides": besides },
  });
  for await (const { Items } of pages) {
    const posts = await Promise.allSettled(Items.map((row) => deliver(row, text)));
    failures.push(...posts.filter(({ status }) => status === "rejected"));
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} posts failed`, { cause: failures[0].reason });
  }
}

/** Posts to one connection and forgets it, not the sender, if it is closed. */
async function deliver({ connectionId, expires }, text) {
  if (await post(connectionId, text)) return;
  if (expires < now() + MAX_LIFE - SETTLING) await forget(connectionId);
}
