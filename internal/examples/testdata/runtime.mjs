// Runs a Node.js handler on the Lambda Runtime API: runtime.mjs MODULE.FUNCTION, in its folder.
import { join } from "node:path";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`;
const [module, name] = process.argv[2].split(".");
const { [name]: handler } = await import(join(process.cwd(), `${module}.mjs`));
for (;;) {
  const invocation = await fetch(`${api}next`);
  const id = invocation.headers.get("Lambda-Runtime-Aws-Request-Id");
  let [kind, answer] = ["response", undefined];
  try {
    answer = await handler(await invocation.json());
  } catch (error) {
    console.error(error);
    [kind, answer] = ["error", { errorType: error.name, errorMessage: error.message }];
  }
  await fetch(`${api}${id}/${kind}`, { method: "POST", body: JSON.stringify(answer) });
}
