import type { Command } from 'commander';
import { CounterDevice } from '../../../simulator/counter/counter-device.ts';
import { createLogger } from '../../kit/logger.ts';
import { deviceNamed } from '../device-name.ts';
import { cliErrors } from '../errors.ts';
import { logLevelOf, requiredSetting, settingsOf } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { runService } from '../run-service.ts';
import { COUNTER_OPTIONS } from './option-tables.ts';

const BROKER_URL = /^(mqtt|ws):\/\/[^/\s]+(\/\S*)?$/;

export async function runCounter(command: Command): Promise<number> {
  const settings = await settingsOf(command, COUNTER_OPTIONS);
  const logger = createLogger(logLevelOf(settings, 'info'));
  const mqttUrl = requiredSetting(settings, 'mqtt', 'the edge node to report to');
  if (!BROKER_URL.test(mqttUrl))
    throw cliErrors.OPTION_INVALID({
      option: '--mqtt',
      value: mqttUrl,
      expected: 'mqtt://HOST:PORT or ws://HOST:PORT',
    });
  const interval = requiredSetting(settings, 'interval', 'milliseconds between two counts');
  if (!/^\d+$/.test(interval) || Number(interval) < 1) {
    throw cliErrors.OPTION_INVALID({
      option: '--interval',
      value: interval,
      expected: 'a whole number of milliseconds from 1',
    });
  }
  const device = deviceNamed('--device', requiredSetting(settings, 'device', 'which Device it is'));
  const counter = new CounterDevice({ mqttUrl, device, intervalMs: Number(interval) }, { logger });
  const isJson = settings['output'] === 'json';
  return runService(counter, {
    logger,
    onReady: () => {
      if (isJson) printJson({ device, mqtt: mqttUrl, pid: process.pid });
      else printLine(`counter ${device.namespace}/${device.name} reports to ${mqttUrl}`);
      counter.onReport((report) => {
        if (report.phase !== 'acknowledged') return;
        if (isJson) printJson(report);
        else
          printLine(
            `${report.status ?? 'count'} ${report.count ?? ''} acknowledged after ${report.after.toFixed(1)} ms`,
          );
      });
    },
  });
}
