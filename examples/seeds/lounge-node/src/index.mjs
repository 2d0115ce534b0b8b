// One function behind all routes: it sees in the event which route was taken.
import * as lounge from "./lounge.mjs";
import { parse } from "./requests.mjs";

export async function handler(event) {
  const { connectionId, connectedAt, requestId, routeKey } = event.requestContext;
  switch (routeKey) {
    case "$connect":
      return { statusCode: 200 }; // nobody is in the lounge before setName
    case "$disconnect":
      await lounge.leave(connectionId);
      return { statusCode: 200 };
    default: {
      const error = await act({ connectionId, connectedAt }, routeKey, event.body);
      if (!error) return { statusCode: 200 };
      await lounge.post(connectionId, [{ error, requestId }]);
      return { statusCode: 400 };
    }
  }
}

/** Does what a message asks for; what the client did wrong comes back in words. */
async function act(connection, action, body) {
  const { request, error } = parse(action, body);
  if (error) return error;
  switch (action) {
    case "setName":
      return lounge.enter(connection, request.name);
    case "sendPublic":
      return lounge.sendPublic(connection.connectionId, request.message);
    case "sendPrivate":
      return lounge.sendPrivate(connection.connectionId, request.to, request.message);
    default:
      return "the actions are setName, sendPublic and sendPrivate";
  }
}
