// Who is called what, in two tables: Members has the name of each connection, Names the connection
// of each name, so that a name is taken by one conditional write.
import { ConditionalCheckFailedException, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, paginateScan,
} from "@aws-sdk/lib-dynamodb";

const { MEMBERS_TABLE, NAMES_TABLE } = process.env;
const MAX_LIFE = 2 * 60 * 60; // seconds; API Gateway ends every connection after two hours

const tables = DynamoDBDocumentClient.from(new DynamoDBClient());

const now = () => Math.floor(Date.now() / 1000);
const folded = (name) => name.toLowerCase(); // Alice and alice are one name

/** Gives a name to a connection unless another has it; tells whether it was free. */
export async function claim({ connectionId, connectedAt }, name) {
  const expires = Math.floor(connectedAt / 1000) + MAX_LIFE; // should $disconnect get lost
  const claimed = await attempt(new PutCommand({
    TableName: NAMES_TABLE,
    Item: { name: folded(name), connectionId, expires },
    ConditionExpression: "attribute_not_exists(connectionId) OR connectionId = :me OR expires < :now",
    ExpressionAttributeValues: { ":me": connectionId, ":now": now() },
  }));
  if (!claimed) return false;
  const { Attributes: before } = await tables.send(new PutCommand({
    TableName: MEMBERS_TABLE, Item: { connectionId, name, expires }, ReturnValues: "ALL_OLD",
  }));
  if (before && folded(before.name) !== folded(name)) await freeName(before);
  return true;
}

/** Forgets a connection and frees its name, which it gives to the first caller only. */
export async function release(connectionId) {
  const { Attributes: member } = await tables.send(new DeleteCommand({
    TableName: MEMBERS_TABLE, Key: { connectionId }, ReturnValues: "ALL_OLD",
  }));
  if (member) await freeName(member);
  return member?.name;
}

/** Gives the name of a connection, if it has one. */
export async function nameOf(connectionId) {
  const { Item } = await tables.send(new GetCommand({
    TableName: MEMBERS_TABLE, Key: { connectionId }, ConsistentRead: true,
  }));
  return Item?.name;
}

/** Gives the connection of a name, if somebody has it. */
export async function connectionOf(name) {
  const { Item } = await tables.send(new GetCommand({
    TableName: NAMES_TABLE, Key: { name: folded(name) }, ConsistentRead: true,
  }));
  return Item?.connectionId;
}

/** Gives the connection and name of everybody; a Scan answers in pages of 1 MB. */
export async function everybody() {
  const members = [];
  const pages = paginateScan({ client: tables }, {
    TableName: MEMBERS_TABLE,
    ConsistentRead: true, // who has just come is among them
    FilterExpression: "expires > :now", // TTL deletes days late
    ExpressionAttributeValues: { ":now": now() },
  });
  for await (const { Items } of pages) members.push(...Items);
  return members.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Frees a member's name, unless somebody else has it by now. */
async function freeName({ connectionId, name }) {
  await attempt(new DeleteCommand({
    TableName: NAMES_TABLE,
    Key: { name: folded(name) },
    ConditionExpression: "connectionId = :me",
    ExpressionAttributeValues: { ":me": connectionId },
  }));
}

/** Runs a conditional write and tells whether its condition held. */
async function attempt(command) {
  try {
    await tables.send(command);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
