// $disconnect: forgets the connection.
import { forget } from "./connections.mjs";

export async function handler(event) {
  await forget(event.requestContext.connectionId);
  return { statusCode: 200 };
}
