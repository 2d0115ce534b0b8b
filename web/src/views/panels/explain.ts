import { RequestError } from "../../core/session.ts";
import { t } from "../../strings.ts";

/** explain says in words what did not work, with the request's id where the server's log has more. */
export function explain(error: unknown): string {
  if (!(error instanceof RequestError)) return error instanceof Error && error.message ? error.message : t.errors.failed;
  if (error.code === "offline") return t.errors.offline;
  return t.errors.code(error.message, error.code === "internal" ? error.requestId : "");
}
