// What TanStack Virtual, zustand and the views use of React's API, on Preact. preact/compat has all of
// React's and would be a tenth of the whole page (docs/adr/0027-web-page.md).
import { Component, createElement, options, type ComponentChildren, type FunctionComponent } from "preact";
import { useCallback, useDebugValue, useEffect, useLayoutEffect, useState } from "preact/hooks";

export * from "preact/hooks";
export { createElement, createContext, Fragment } from "preact";

/** useSyncExternalStore follows a store from outside. */
export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, get: () => T): T {
  const value = get();
  const [, again] = useState(0);
  useLayoutEffect(() => {
    if (!Object.is(get(), value)) again((n) => n + 1);
  }, [value, get]);
  useEffect(() => {
    let last = value;
    const look = (): void => {
      const now = get();
      if (Object.is(now, last)) return;
      last = now;
      again((n) => n + 1);
    };
    look();
    return subscribe(look);
  }, [subscribe, get]);
  return value;
}

/** memo makes a view that is drawn again only when a property changes. */
export function memo<P extends object>(view: FunctionComponent<P>): FunctionComponent<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Record<string, unknown>;
      const after = next as Record<string, unknown>;
      const names = new Set([...Object.keys(before), ...Object.keys(after)]);
      return [...names].some((name) => before[name] !== after[name]);
    }

    override render(): ComponentChildren {
      return createElement(view, this.props as P);
    }
  } as unknown as FunctionComponent<P>;
}

/** lazy makes a view of one that is fetched when it is first shown; until then there is nothing. */
export function lazy<P extends object>(load: () => Promise<{ default: FunctionComponent<P> }>): FunctionComponent<P> {
  let loaded: FunctionComponent<P> | null = null;
  return function Lazy(props: P) {
    const [, again] = useState(0);
    useEffect(() => {
      if (!loaded)
        load().then(
          (module) => {
            loaded = module.default;
            again((n) => n + 1);
          },
          () => undefined,
        );
    }, []);
    return loaded ? createElement(loaded, props) : null;
  };
}

/** flushSync draws at once what a function changes. */
export function flushSync(run: () => void): void {
  const before = options.debounceRendering;
  options.debounceRendering = (draw) => draw();
  try {
    run();
  } finally {
    options.debounceRendering = before;
  }
}

/** What zustand takes from React's default export. */
export default { useCallback, useDebugValue, useSyncExternalStore };
