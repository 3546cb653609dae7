type Child = Node | string | null | undefined | false;

/** An element with its attributes (handlers as functions: `onclick`) and children. */
export function el<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child): child is Node | string => !!child || child === ""));
  return made;
}

/** Shows a screen in the place of the one before, and takes whoever listens to it to its heading. */
export function show(...children: Child[]): void {
  const screen = document.getElementById("screen")!;
  screen.replaceChildren(...children.filter((child): child is Node | string => !!child));
  window.scrollTo(0, 0);
  focusOn(screen.querySelector("h1") ?? screen);
}

/** Goes on from a heading, for the keyboard and for who listens. */
export function focusOn(heading: HTMLElement): void {
  heading.tabIndex = -1;
  heading.focus();
}

/** Has a screen reader say something that stands on the screen already. What is put there with its words in it many do not
 * say, so they go to a place that was there before. */
export function announce(text: string): void {
  document.getElementById("said")!.textContent = text;
}

/** Says something below every screen; nothing when empty. */
export function notice(text: string): void {
  document.getElementById("notice")!.textContent = text;
}
