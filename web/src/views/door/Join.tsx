import { useEffect, useRef, useState } from "preact/hooks";
import { ask, type Me } from "../../core/server.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import { Icon } from "../../ui/icons.tsx";
import { useTitle } from "../../ui/hooks.ts";

interface Found {
  kind: "owner" | "invite" | "device" | "issuer";
  handle?: string;
}

const leads = { owner: p.join.owner, invite: p.join.invited, issuer: p.join.issuer, device: "" };

/** toChat leaves the link behind: its secret must not stay in the history. */
function toChat(): void {
  location.replace("./");
}

/**
 * Join shows what a link is good for. Nothing happens to it before the button is pressed: programs
 * that preview links fetch pages too. The secret is the fragment, which browsers do not send.
 */
export default function Join() {
  const link = useRef(location.hash.slice(1)).current;
  const [found, setFound] = useState<Found | null>(null);
  const [broken, setBroken] = useState("");
  useTitle(t.title.page(p.join.title));
  useEffect(() => {
    if (link) ask<Found>("look", { link }).then(setFound, (e: Error) => setBroken(e.message));
  }, [link]);
  return (
    <main class="card">
      <p class="brand"><Icon name="people" /> {t.app}</p>
      {!link ? (
        <Problem title={p.join.noLink} lead={p.join.noLinkLead} />
      ) : broken ? (
        <Problem title={p.join.broken} lead={`${broken[0]!.toUpperCase()}${broken.slice(1)}. ${p.join.askAnother}`} />
      ) : found ? (
        <Form link={link} found={found} />
      ) : (
        <p>{p.join.looking}</p>
      )}
    </main>
  );
}

function Problem({ title, lead }: { title: string; lead: string }) {
  return (
    <>
      <h1>{title}</h1>
      <p>{lead}</p>
      <p><a href="./">{p.join.toChat}</a></p>
    </>
  );
}

function Form({ link, found }: { link: string; found: Found }) {
  const [handle, setHandle] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const device = found.kind === "device";
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await ask<Me>("sign-in", { link, handle: device ? "" : handle.trim(), cookie: true });
      toChat();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <>
      <h1>{device ? p.join.device : p.join.title}</h1>
      <p>{device ? p.join.as(found.handle ?? "") : leads[found.kind]}</p>
      <form onSubmit={(e) => void submit(e)} noValidate>
        {!device && (
          <>
            <label for="handle">{p.join.handle}</label>
            <input
              id="handle" name="handle" value={handle} autoFocus autoComplete="username" autoCapitalize="none"
              spellcheck={false} maxLength={32} aria-describedby="rule problem"
              onInput={(e) => setHandle(e.currentTarget.value)}
            />
            <p class="hint" id="rule">{p.join.rule}</p>
          </>
        )}
        <p id="problem" class="problem" role="alert">{problem}</p>
        <button class="primary" type="submit" disabled={busy} autoFocus={device}>
          {device ? p.join.signIn : p.join.go}
        </button>
      </form>
    </>
  );
}
