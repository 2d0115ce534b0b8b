import { RequestError } from "../../core/session.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";

/** explain says in words what did not work, with the request's id where the server's log has more. */
export function explain(error: unknown): string {
  if (!(error instanceof RequestError)) return error instanceof Error && error.message ? error.message : t.errors.failed;
  if (error.code === "offline") return p.errors.offline;
  return p.errors.code(error.message, error.code === "internal" ? error.requestId : "");
}
