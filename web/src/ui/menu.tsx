import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { menus, type Open } from "./openMenu.ts";
import { arrows } from "./roving.ts";

/** Menu is the one menu of the page; Esc, a click elsewhere or a choice closes it. */
export default function Menu({ menu }: { menu: Open }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    element.showPopover?.();
    place(element, menu.from);
    element.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
  }, [menu]);
  const close = (): void => {
    menus.setState({ menu: null });
    if (menu.from.isConnected) menu.from.focus();
  };
  const closed = (e: { newState: string }): void => {
    if (e.newState === "closed") menus.setState({ menu: null });
  };
  return (
    <div
      ref={box} class="menu" popover="auto" role="menu" aria-label={menu.label} onToggle={closed}
      onKeyDown={(e) => {
        if (e.key === "Escape" || e.key === "Tab") close();
        else arrows(e, "[role^=menuitem]");
        e.stopPropagation();
      }}
    >
      {menu.choices.map((c) => (
        <button
          type="button" class={c.danger ? "danger" : ""} tabIndex={-1}
          role={c.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={c.checked}
          onClick={() => {
            close();
            c.run();
          }}
        >
          {c.icon && <Icon name={c.icon} />}
          <span>{c.label}</span>
          {c.checked && <span aria-hidden="true">✓</span>}
        </button>
      ))}
    </div>
  );
}

/** place puts the menu below what opened it, or above where there is no room, and within the window. */
function place(menu: HTMLElement, from: HTMLElement): void {
  const at = from.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + height + 8 < innerHeight;
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}
