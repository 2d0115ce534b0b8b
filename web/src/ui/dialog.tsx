import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { p } from "panel-strings";
import { IconButton } from "./basics.tsx";
import { hide, useUi } from "./state.ts";

/** Dialog is a panel over the chat: native, so that focus stays inside and returns, and Esc closes. */
export function Dialog({ title, children, wide }: { title: string; children: ComponentChildren; wide?: boolean }) {
  const notice = useUi((s) => s.notice); // what is behind a modal dialog nobody sees or hears
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement as HTMLElement | null;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>("[autofocus]")?.focus();
    return () => {
      dialog?.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element} class={wide ? "panel wide" : "panel"} aria-label={title}
      onCancel={(e) => {
        e.preventDefault();
        hide();
      }}
      onClick={(e) => {
        if (e.target === element.current) hide();
      }}
    >
      <div class="panel-body">
        <header>
          <h2>{title}</h2>
          <IconButton icon="close" label={p.dialog.close} onClick={hide} />
        </header>
        {children}
        {notice && <p class="panel-notice" role="status" key={notice.key}>{notice.text}</p>}
      </div>
    </dialog>
  );
}
