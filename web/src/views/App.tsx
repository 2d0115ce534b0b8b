import { useEffect, useMemo, useState } from "preact/hooks";
import { Chat, type News } from "../core/chat.ts";
import { systemClock } from "../core/clock.ts";
import { choice, choose, openKeep, type Keep } from "../core/keep.ts";
import { about, addressFor, ask, type About, type Me } from "../core/server.ts";
import type { Socket } from "../core/session.ts";
import { lazy } from "../ui/react.ts";
import { HereContext } from "../ui/hooks.ts";
import { useUi } from "../ui/state.ts";
import { t } from "../strings.ts";
import { Frame } from "./Frame.tsx";
import { tell } from "./notify.ts";

const Start = lazy(() => import("./door/Start.tsx"));
const Join = lazy(() => import("./door/Join.tsx"));
const SignedOut = lazy(() => import("./door/SignedOut.tsx"));

interface Ready {
  server: About;
  keep: Keep;
}

/** App decides what is to be seen: a name to choose, a link to use, or the chat. */
export function App() {
  const [ready, setReady] = useState<Ready | null>(null);
  const [failed, setFailed] = useState(false);
  const theme = useUi((s) => s.theme);
  useEffect(() => {
    document.documentElement.dataset.theme = theme || "system";
  }, [theme]);
  useEffect(() => {
    Promise.all([about(), openKeep()]).then(
      ([server, keep]) => setReady({ server, keep }),
      () => setFailed(true),
    );
  }, []);
  if (failed) return <main class="card">{t.errors.failed}</main>;
  if (!ready) return null;
  if (ready.server.auth !== "open" && /\/join\/?$/.test(location.pathname)) return <Join />;
  return <Member {...ready} />;
}

/** Member asks for a name where names are free, and runs the chat. */
function Member({ server, keep }: Ready) {
  const [name, setName] = useState(choice("name"));
  if (server.auth === "open" && !name) {
    const begin = (chosen: string): void => {
      choose("name", chosen);
      setName(chosen);
    };
    return <Start onName={begin} />;
  }
  return <Running server={server} keep={keep} name={name} />;
}

function Running({ server, keep, name }: Ready & { name: string }) {
  const [signedOut, setSignedOut] = useState(false);
  const [account, setAccount] = useState<Me | null>(null);
  useEffect(() => {
    if (server.auth !== "open" && !server.issuer) ask<Me>("me").then(setAccount, () => undefined);
  }, [server]);
  const chat = useMemo(() => {
    const known = choice("known").split("\n");
    // A free name is another's with another name, and a page with an issuer is signed in as long as its tab.
    const still = server.auth === "open" ? known[0] === name : !server.issuer || choice("token", "sessionStorage");
    const made = new Chat({
      address: () => addressFor(server, name, made.session.details().connects),
      open: ({ url, protocols }) => new WebSocket(url, protocols) as Socket,
      clock: systemClock,
      random: Math.random,
      keep,
      known: still ? known : [],
      onKnown: (now) => choose("known", now.join("\n")),
      onNews: (news: News) => tell(made, news),
    });
    return made;
  }, [server, keep, name]);
  useEffect(() => {
    const { session } = chat;
    const end = session.subscribe(() => {
      const state = session.getSnapshot();
      if (state.phase !== "stopped" || state.reason !== "signed-out") return;
      if (!server.issuer) choose("known", "");
      setSignedOut(true);
    });
    const probe = (): void => session.probe();
    const names = ["online", "offline", "pageshow"];
    for (const event of names) addEventListener(event, probe);
    session.start();
    return () => {
      end();
      for (const event of names) removeEventListener(event, probe);
      session.stop();
    };
  }, [chat]);
  if (signedOut) return <SignedOut server={server} />;
  return (
    <HereContext.Provider value={{ chat, server, account }}>
      <Frame />
    </HereContext.Provider>
  );
}
