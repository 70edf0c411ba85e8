import { setTimeout as pause } from "node:timers/promises";

/** Looks every 20 ms until it is true. */
export async function waitUntil(what: string, look: () => boolean | Promise<boolean>, limitSeconds = 20): Promise<void> {
  const deadline = performance.now() + limitSeconds * 1000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitSeconds} s for ${what}`);
    await pause(20);
  }
}
