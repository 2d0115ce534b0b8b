// Calls @connections with the AWS SDK for JavaScript v3: sdk.cjs OPEN CLOSED
const { ApiGatewayManagementApiClient, PostToConnectionCommand, GetConnectionCommand,
  DeleteConnectionCommand } = require("@aws-sdk/client-apigatewaymanagementapi");

const [open, closed] = process.argv.slice(2);
const client = new ApiGatewayManagementApiClient({});

async function outcome(command, show = () => "ok") {
  try {
    return show(await client.send(command));
  } catch (error) {
    return error.name;
  }
}

(async () => {
  const Data = Buffer.from("from the SDK: é");
  const said = {
    get: await outcome(new GetConnectionCommand({ ConnectionId: open }), (r) => r.Identity.SourceIp),
    post: await outcome(new PostToConnectionCommand({ ConnectionId: open, Data })),
    gone: await outcome(new PostToConnectionCommand({ ConnectionId: closed, Data })),
    invalid: await outcome(new PostToConnectionCommand({ ConnectionId: "never-issued=", Data })),
    delete: await outcome(new DeleteConnectionCommand({ ConnectionId: open })),
  };
  console.log(JSON.stringify(said));
})();
