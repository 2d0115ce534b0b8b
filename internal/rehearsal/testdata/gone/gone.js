// Posts to a connection and tells which error Amazon's client makes of the answer.
const {
  ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand,
} = require("@aws-sdk/client-apigatewaymanagementapi");

exports.handler = async (event) => {
  const { id, endpoint } = JSON.parse(event.body);
  const client = new ApiGatewayManagementApiClient(endpoint ? { endpoint } : {});
  try {
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: "x" }));
  } catch (error) {
    return { statusCode: 200, body: error instanceof GoneException ? "GoneException" : String(error) };
  }
  return { statusCode: 200, body: "posted" };
};
