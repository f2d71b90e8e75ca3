import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { isAbort } from '../../kit/errors.ts';
import { createLogger, type Logger } from '../../kit/logger.ts';
import { seconds } from '../../kit/units.ts';
import { planOf, type ChaosPlan } from '../chaos/chaos-plan.ts';
import { isClean, reportLines, type ChaosReport } from '../chaos/chaos-report.ts';
import { ChaosRun, type ChaosListener, type ChaosPlaces, type ChaosProgress } from '../chaos/chaos-run.ts';
import { cliErrors } from '../errors.ts';
import { LiveView } from '../live-view.ts';
import { logLevelOf, settingsOf, textSetting } from '../options.ts';
import { printJson } from '../output.ts';
import { stopAsked } from '../run-service.ts';
import { CHAOS_OPTIONS } from './option-tables.ts';

export async function runChaos(command: Command): Promise<number> {
  const settings = await settingsOf(command, CHAOS_OPTIONS);
  const wanted = planOf(settings);
  const asked = textSetting(settings, 'data-dir');
  const dataDir = asked === undefined ? mkdtempSync(join(tmpdir(), 'skerry-chaos-')) : emptyFolder(resolve(asked));
  const view = settings['output'] === 'json' ? new JsonView() : new TextView();
  const logger = createLogger(logLevelOf(settings, 'error'));
  let isGood = false;
  try {
    const report = await runUntilAsked({ ...wanted, dataDir }, { view, logger });
    view.end();
    if (report !== undefined) view.onReport(report);
    isGood = report !== undefined && isClean(report);
    return isGood ? 0 : 1;
  } finally {
    view.end();
    if (asked === undefined && isGood) rmSync(dataDir, { recursive: true, force: true });
    else process.stderr.write(`skerry: everything is kept in ${dataDir}\n`);
  }
}

/** `undefined` when it was asked to stop before there was anything to judge. */
async function runUntilAsked(
  plan: ChaosPlan,
  { view, logger }: { readonly view: View; readonly logger: Logger },
): Promise<ChaosReport | undefined> {
  const enough = new AbortController();
  void stopAsked(enough);
  const run = await ChaosRun.create(plan, { listener: view, logger, enough: enough.signal });
  const killAll = (): void => run.killAll();
  process.once('exit', killAll);
  try {
    view.onPhase(`seed ${plan.seed}; --seed ${plan.seed} makes the same moves again`);
    return await run.run();
  } catch (error) {
    if (!isAbort(error)) throw error;
    process.stderr.write('skerry: it was stopped before anything was published, so there is nothing to judge\n');
    return undefined;
  } finally {
    process.off('exit', killAll);
  }
}

function emptyFolder(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (readdirSync(dataDir).length > 0) throw cliErrors.CHAOS_DATA_DIR_IN_USE({ dataDir });
  return dataDir;
}

interface View extends ChaosListener {
  onReport(report: ChaosReport): void;
  end(): void;
}

class TextView implements View {
  readonly #view = new LiveView(seconds(5));

  onPhase(sentence: string): void {
    this.#view.say(sentence);
  }

  onStarted({ kubeconfig, nats, mqtt }: ChaosPlaces): void {
    this.#view.say(`Kubernetes: export KUBECONFIG=${kubeconfig}; NATS ${nats}; MQTT ${mqtt.join(', ')}`);
  }

  onMove(text: string, after: number): void {
    this.#view.say(`${after.toFixed(1).padStart(7)} s  ${text}`);
  }

  onProgress({ acknowledged, waiting }: ChaosProgress): void {
    this.#view.show(`           ${acknowledged} acknowledged; ${waiting}`);
  }

  onReport(report: ChaosReport): void {
    for (const line of reportLines(report)) this.#view.say(line);
  }

  end(): void {
    this.#view.end();
  }
}

/** One line for what happens; the last one is the report. */
class JsonView implements View {
  onPhase(text: string): void {
    printJson({ event: 'phase', text });
  }

  onStarted(places: ChaosPlaces): void {
    printJson({ event: 'started', pid: process.pid, ...places });
  }

  onMove(text: string, after: number): void {
    printJson({ event: 'move', after, text });
  }

  onProgress(progress: ChaosProgress): void {
    printJson({ event: 'progress', ...progress });
  }

  onReport(report: ChaosReport): void {
    printJson(report);
  }

  end(): void {
    // Lines end themselves.
  }
}
