import { resolve } from 'node:path';
import type { Command } from 'commander';
import { messageOf } from '../../kit/errors.ts';
import { createLogger, type Logger } from '../../kit/logger.ts';
import { chooseAddresses } from '../demo/demo-addresses.ts';
import { Demo } from '../demo/demo.ts';
import { guideLines } from '../demo/demo-guide.ts';
import { listenToKeys } from '../demo/demo-keys.ts';
import { pictureLine } from '../demo/demo-picture.ts';
import { followDevice, followEdge, type EdgeGlance } from '../demo/demo-watch.ts';
import { LiveView } from '../live-view.ts';
import { logLevelOf, requiredSetting, settingsOf, type Settings } from '../options.ts';
import { printJson } from '../output.ts';
import { runService } from '../run-service.ts';
import type { ShownTwin } from '../twin/twin-source.ts';
import { DEMO_OPTIONS } from './option-tables.ts';

export async function runDemo(command: Command): Promise<number> {
  const settings = await settingsOf(command, DEMO_OPTIONS);
  const isJson = settings['output'] === 'json';
  const view = new LiveView();
  const say = (sentence: string): void => (isJson ? undefined : view.say(sentence));
  const logger = createLogger(logLevelOf(settings, 'error'));
  const dataDir = resolve(requiredSetting(settings, 'data-dir', 'where everything of the demo is kept'));
  const picture = new LivePicture(isJson ? undefined : view);
  const config = { dataDir, addresses: await chooseAddresses(settings, say), logLevel: logLevelOf(settings, 'info') };
  const demo = new Demo(config, { say, onCounted: (count) => picture.counted(count) });
  const over = new AbortController();
  let releaseKeys = (): void => undefined;
  const code = await runService(demo, {
    logger,
    onReady: () => {
      if (isJson) printJson({ pid: process.pid, ...demo.places });
      else
        for (const line of guideLines({
          places: demo.places,
          dataDir,
          hasKeys: process.stdin.isTTY && process.stdout.isTTY,
        }))
          say(line);
      picture.follow(demo, logger, over.signal);
      releaseKeys = keysOf(demo, view, settings);
    },
  });
  over.abort();
  releaseKeys();
  view.end();
  say(code === 0 ? 'stopped' : 'stopped after a failure; the logs folder in the data directory tells more');
  return code;
}

class LivePicture {
  readonly #view: LiveView | undefined;
  #count: number | undefined;
  #twin: ShownTwin | undefined;
  #glance: EdgeGlance | undefined;

  constructor(view: LiveView | undefined) {
    this.#view = view;
  }

  counted(count: number): void {
    this.#count = count;
    this.#show();
  }

  follow(demo: Demo, logger: Logger, signal: AbortSignal): void {
    const onTwin = (twin: ShownTwin | undefined): void => {
      this.#twin = twin;
      this.#show();
    };
    const onGlance = (glance: EdgeGlance | undefined): void => {
      this.#glance = glance;
      this.#show();
    };
    void followDevice(demo.places.kubeconfig, { onTwin, logger }, signal);
    void followEdge(() => demo.places.edgeHttp, onGlance, signal);
  }

  #show(): void {
    const reported = this.#twin?.properties
      .filter((each) => each.reported !== undefined)
      .map((each) => `${each.property}=${each.reported ?? ''}`);
    const { isLinked, waiting } = this.#glance ?? {};
    this.#view?.show(
      pictureLine({ device: 'counter', counted: this.#count, inKubernetes: reported?.join(' '), isLinked, waiting }),
    );
  }
}

function keysOf(demo: Demo, view: LiveView, settings: Settings): () => void {
  if (settings['output'] === 'json') return () => undefined;
  return listenToKeys({
    onPlug: () => {
      view.say(
        demo.isPlugged
          ? 'the plug is out: no hub, no NATS, no Kubernetes. The counter counts on; p puts it back in'
          : 'the plug is back in',
      );
      void demo.togglePlug().catch((error: unknown) => view.say(messageOf(error)));
    },
    onQuit: () => process.kill(process.pid, 'SIGINT'),
  });
}
