// What Amazon's JavaScript client and node:https make of AWS hosts behind the gate; a line for each.
import https from "node:https";
import {
  ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";

const endpoint = "https://abc123.execute-api.ap-southeast-1.amazonaws.com/production";
const client = new ApiGatewayManagementApiClient({ endpoint });
try {
  await client.send(new PostToConnectionCommand({ ConnectionId: "gone=", Data: "x" }));
} catch (error) {
  console.log("gone", error instanceof GoneException);
}
const { TableNames } = await new DynamoDBClient().send(new ListTablesCommand());
console.log("tables", TableNames.join());
const queue = await fetch("https://sqs.us-east-1.amazonaws.com/");
console.log("fetch", queue.status, (await queue.json()).message);
https.get("https://sqs.us-east-1.amazonaws.com/", (answer) => {
  console.log("https", answer.statusCode);
  answer.resume();
});
