// What happens in the lounge, and who is told. What comes back is an error in words for the client,
// or nothing.
import {
  ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import * as names from "./names.mjs";

const MOST = 200; // names in a members frame
const PARALLEL = 50; // connections that are posted to at once

// The address is in AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, set by the template.
const gateway = new ApiGatewayManagementApiClient();

export async function enter(connection, name) {
  if (!(await names.claim(connection, name))) return `name: ${name} is taken`;
  await tellAll(membersOf, () => ({ systemMessage: `${name} has joined the chat` }));
  return undefined;
}

export async function leave(connectionId) {
  const name = await names.release(connectionId);
  if (name) await tellAll(leftBy(name), membersOf);
}

export async function sendPublic(connectionId, message) {
  const name = await names.nameOf(connectionId);
  if (!name) return "set a name first, with setName";
  await tellAll(() => ({ publicMessage: `${name}: ${message}` }));
  return undefined;
}

export async function sendPrivate(connectionId, to, message) {
  const name = await names.nameOf(connectionId);
  if (!name) return "set a name first, with setName";
  const target = await names.connectionOf(to);
  const frame = { privateMessage: `${name}: ${message}` };
  return target && (await post(target, [frame])) ? undefined : `to: ${to} is not here`;
}

/** Posts frames in order to one connection and tells whether it is open. */
export async function post(connectionId, frames) {
  try {
    for (const frame of frames) {
      const Data = JSON.stringify(frame);
      await gateway.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data }));
    }
    return true;
  } catch (error) {
    if (error instanceof GoneException) return false;
    throw error;
  }
}

const membersOf = (all) => ({ members: all.slice(0, MOST).map(({ name }) => name) });
const leftBy = (name) => () => ({ systemMessage: `${name} has left the chat` });

/** Posts frames, each made from the list of all members, in order to every member. */
async function tellAll(...makers) {
  const all = await names.everybody();
  const frames = makers.map((make) => make(all));
  const [gone, failures] = [[], []];
  for (let from = 0; from < all.length; from += PARALLEL) {
    await Promise.all(all.slice(from, from + PARALLEL).map(async ({ connectionId }) => {
      try {
        if (!(await post(connectionId, frames))) gone.push(connectionId);
      } catch (error) {
        failures.push(error);
      }
    }));
  }
  // Somebody whose $disconnect got lost has left all the same.
  for (const connectionId of gone) await leave(connectionId);
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${all.length} posts failed`, { cause: failures[0] });
  }
}
