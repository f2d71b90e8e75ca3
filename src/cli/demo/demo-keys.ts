import { emitKeypressEvents } from 'node:readline';

export interface KeyHandlers {
  readonly onPlug: () => void;
  readonly onQuit: () => void;
}

/** Listens for single keys where there is a terminal; returns how to give it back. */
export function listenToKeys({ onPlug, onQuit }: KeyHandlers): () => void {
  const { stdin } = process;
  if (!stdin.isTTY || !process.stdout.isTTY) return () => undefined;
  const onKey = (_text: string | undefined, key: { readonly name?: string; readonly ctrl?: boolean }): void => {
    if (key.name === 'p') onPlug();
    // In raw mode the terminal makes no signal of Ctrl-C.
    else if (key.name === 'q' || (key.ctrl === true && key.name === 'c')) onQuit();
  };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.on('keypress', onKey);
  stdin.resume();
  return () => {
    stdin.off('keypress', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
