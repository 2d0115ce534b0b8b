// sendMessage: pushes the bare text of a message to everybody but its sender.
import { broadcast, post } from "./connections.mjs";

const MAX_LENGTH = 4000; // characters of a message

export async function handler(event) {
  const { connectionId, requestId } = event.requestContext;
  const { message } = JSON.parse(event.body);
  const error = problemOf(message);
  if (error) {
    await post(connectionId, JSON.stringify({ error, requestId }));
    return { statusCode: 400 };
  }
  await broadcast(message, connectionId);
  return { statusCode: 200 };
}

function problemOf(message) {
  if (typeof message !== "string" || message.trim() === "") {
    return "message must be a text, and not empty";
  }
  if (message.length > MAX_LENGTH) return `message must have at most ${MAX_LENGTH} characters`;
  return undefined;
}
