// A long-running command: started, told to stop by a signal, stopped within its time, and an exit code that says how it went.
import { Deadline } from '../kit/deadline.ts';
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { seconds } from '../kit/units.ts';

/** One second less than what is promised: the rest is the process's own way out. */
export const STOP_WITHIN = seconds(9);

/** npm hands Ctrl-C on to its child, which got it from the terminal already: only a later signal means "now". */
const SAME_PRESS_MS = 1000;

/**
 * Runs until a SIGINT or SIGTERM, until the parent process that started it with an IPC channel is gone, or until the service
 * fails. Resolves with the exit code: 0 after a stop that was asked for, 1 after a failure. A second signal ends it at once.
 */
export async function runService(
  service: Service,
  tools: { readonly logger: Logger; readonly onReady: () => void },
): Promise<number> {
  const abort = new AbortController();
  const asked = stopAsked(abort);
  await service.start(abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  if (!abort.signal.aborted) tools.onReady();
  const failure = await Promise.race([asked, service.ended ?? asked]);
  await service.stop(Deadline.after(STOP_WITHIN));
  if (failure === undefined || abort.signal.aborted) return 0;
  tools.logger.error({ reason: messageOf(failure) }, `${service.name} failed and was stopped`);
  return 1;
}

/** Resolves, after the abort, when the process is asked to stop. Asked again later it exits at once. */
export function stopAsked(abort: AbortController): Promise<undefined> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const ask = (): void => {
      if (since !== undefined && performance.now() - since > SAME_PRESS_MS) process.exit(130);
      since ??= performance.now();
      abort.abort();
      resolve(undefined);
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
    process.on('SIGHUP', ask);
    if (process.connected) process.once('disconnect', ask);
  });
}
