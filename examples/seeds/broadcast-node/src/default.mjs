// $default: tells a client whose message no other route takes what it can do, and who it is.
import { GetConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { gateway, post } from "./connections.mjs";

export async function handler(event) {
  const { connectionId } = event.requestContext;
  const { ConnectedAt, Identity, LastActiveAt } = await gateway.send(
    new GetConnectionCommand({ ConnectionId: connectionId }),
  );
  const info = JSON.stringify({ ConnectedAt, Identity, LastActiveAt, connectionID: connectionId });
  const words = "To write to the others, send the action sendMessage with a message. You are:";
  await post(connectionId, `${words} ${info}`);
  return { statusCode: 200 };
}
