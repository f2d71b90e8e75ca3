import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdentityFiles } from '../../../../../src/edge/identity/identity-files.ts';
import { join } from '../../../../../src/edge/identity/joiner.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { tempDir } from '../../../../support/temp-dir.ts';
import { waitUntil } from '../../../../support/wait-until.ts';
import { WarningLog } from '../../../../support/warning-log.ts';

/** Where nobody listens. */
const NOWHERE = 'https://127.0.0.1:9';

void test('a node whose clock is at 1970 waits for the time before it asks any hub, and says so', async () => {
  await using dir = await tempDir();
  const clock = new ManualClock(60_000);
  const log = new WarningLog();
  const abort = new AbortController();
  const wish = { hub: NOWHERE, node: 'plant-1', token: { id: 'a', secret: 'b', pin: 'c' } };
  const tools = { files: new IdentityFiles(dir.path), clock, logger: log };

  const joining = join(wish, tools, abort.signal);
  await waitUntil('the node to say what it waits for', () => log.warnings.length === 1);
  clock.setTo(Date.UTC(2026, 4, 1));
  await waitUntil('the node to ask the hub', () => log.warnings.length === 2);
  abort.abort();

  await assert.rejects(joining);
  assert.match(log.warnings[0] ?? '', /clock of this node shows 1970-01-01T00:01:00/);
  assert.match(log.warnings[1] ?? '', /the hub at https:\/\/127\.0\.0\.1:9 cannot be reached/);
});
