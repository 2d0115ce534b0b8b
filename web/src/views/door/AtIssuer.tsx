import { useState } from "preact/hooks";
import { begin, problemNow } from "../../core/issuer.ts";
import type { Issuer } from "../../core/server.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import { Icon } from "../../ui/icons.tsx";
import { useTitle } from "../../ui/hooks.ts";

/** AtIssuer says why nobody is signed in on a static host's page, and leads to the issuer. */
export default function AtIssuer({ issuer }: { issuer: Issuer }) {
  const [problem, setProblem] = useState(problemNow());
  useTitle(t.app);
  const { title, lead, go, again, retry, problems } = p.issuer;
  const start = (): void => void begin(issuer).then(() => setProblem(problemNow()));
  return (
    <main class="card">
      <p class="brand"><Icon name="people" /> {t.app}</p>
      <h1>{title}</h1>
      {problem ? (
        <p class="problem" role="alert">{problems[problem.kind](problem.detail ?? "")}</p>
      ) : (
        <p>{lead(new URL(issuer.authorize).host)}</p>
      )}
      {problem?.kind === "refused" && (
        <p><button type="button" class="plain" onClick={() => location.reload()}>{retry}</button></p>
      )}
      {problem?.kind !== "insecure" && (
        <button type="button" class="primary" autoFocus onClick={start}>{problem ? again : go}</button>
      )}
    </main>
  );
}
