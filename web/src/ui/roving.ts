/** arrows moves the focus among the elements that a selector finds in the list: up, down, Home, End. */
export function arrows(e: KeyboardEvent, selector: string, columns = 1): boolean {
  const list = e.currentTarget as HTMLElement;
  const all = [...list.querySelectorAll<HTMLElement>(selector)];
  const at = all.findIndex((element) => element === document.activeElement);
  const to = target(e.key, at, all.length, columns);
  if (to === null || all.length === 0) return false;
  e.preventDefault();
  all[Math.max(0, Math.min(all.length - 1, to))]!.focus();
  return true;
}

function target(key: string, at: number, count: number, columns: number): number | null {
  switch (key) {
    case "ArrowDown":
      return at + columns;
    case "ArrowUp":
      return at < 0 ? count - 1 : at - columns;
    case "ArrowRight":
      return columns > 1 ? at + 1 : null;
    case "ArrowLeft":
      return columns > 1 ? at - 1 : null;
    case "Home":
      return 0;
    case "End":
      return count - 1;
  }
  return null;
}
