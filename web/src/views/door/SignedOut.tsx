import { useState } from "preact/hooks";
import type { About } from "../../core/server.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import { Icon } from "../../ui/icons.tsx";
import { useTitle } from "../../ui/hooks.ts";
import { lazy } from "../../ui/react.ts";

const AtIssuer = lazy(() => import("./AtIssuer.tsx"));

/** SignedOut is what a stranger sees: the way in is a link, or on a stage the issuer. */
export default function SignedOut({ server }: { server: About }) {
  return server.issuer ? <AtIssuer issuer={server.issuer} /> : <ByLink server={server} />;
}

function ByLink({ server }: { server: About }) {
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");
  useTitle(t.app);
  const open = (e: Event): void => {
    e.preventDefault();
    const secret = /#(.+)$/.exec(link.trim())?.[1];
    if (secret) location.assign(`./join#${secret}`);
    else setProblem(p.signedOut.wrong);
  };
  return (
    <main class="card">
      <p class="brand"><Icon name="people" /> {t.app}</p>
      <h1>{p.signedOut.title}</h1>
      {server.signIn && <p><a class="button" href={server.signIn}>{p.signedOut.issuer}</a></p>}
      <p>{p.signedOut.lead}</p>
      <form onSubmit={open} noValidate>
        <label for="link">{p.signedOut.link}</label>
        <input
          id="link" value={link} autoFocus autoComplete="off" spellcheck={false} aria-describedby="problem"
          onInput={(e) => setLink(e.currentTarget.value)}
        />
        <p id="problem" class="problem" role="alert">{problem}</p>
        <button class="primary" type="submit">{p.signedOut.go}</button>
      </form>
      <p class="hint">{p.signedOut.noLink}</p>
    </main>
  );
}
