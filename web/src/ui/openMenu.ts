import { createStore } from "zustand/vanilla";
import type { IconName } from "./icons.tsx";

/** Choice is a line of a menu. */
export interface Choice {
  label: string;
  icon?: IconName;
  run: () => void;
  danger?: boolean;
  checked?: boolean;
}

/** Open is a menu that is shown. */
export interface Open {
  label: string;
  choices: Choice[];
  from: HTMLElement;
}

/** menus holds the one menu of the page. */
export const menus = createStore<{ menu: Open | null }>(() => ({ menu: null }));

/** openMenu shows choices beside the element that was pressed. */
export function openMenu(from: HTMLElement, label: string, choices: Choice[]): void {
  menus.setState({ menu: { label, choices, from } });
}

