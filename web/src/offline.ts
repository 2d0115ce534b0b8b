// Asks the browser to keep the page, so that it opens without the network. Fetched once the page is up.

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** keepPage registers the service worker, where the browser lets a page have one: over HTTPS or on localhost. */
export async function keepPage(): Promise<void> {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const worker = new URL("./sw.js", document.baseURI).href;
  const { trustedTypes } = window as { trustedTypes?: Policies };
  const policy = trustedTypes?.createPolicy("confab-worker", {
    createScriptURL: (url) => {
      if (url !== worker) throw new TypeError("not the address of the worker");
      return url;
    },
  });
  try {
    await serviceWorker.register(policy?.createScriptURL(worker) ?? worker);
  } catch {
    // The panel about the connection says so.
  }
}
