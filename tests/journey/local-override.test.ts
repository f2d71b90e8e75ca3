// What a node and the cloud want of one property, end to end: the program as people run it, kubectl as judge.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ShownTwin } from '../../src/cli/twin/twin-source.ts';
import type { Condition } from '../../src/cloud/kubernetes/resources.ts';
import type { Twin } from '../../src/model/twin.ts';
import { Kubectl } from '../support/kubectl.ts';
import { runProgram, type Finished } from '../support/program.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const wanting = (value: string): string =>
  JSON.stringify({ spec: { properties: [{ name: 'number', desired: { value } }] } });

class Story {
  readonly site: SmallSite;
  readonly kubectl: Kubectl;

  constructor(site: SmallSite) {
    this.site = site;
    this.kubectl = new Kubectl(site.kubeconfig);
  }

  /** In the cloud. */
  async want(value: string): Promise<void> {
    const { code, stderr } = await this.kubectl.run([
      'patch',
      'device',
      'boiler',
      '--type=merge',
      '-p',
      wanting(value),
    ]);
    assert.equal(code, 0, stderr);
  }

  async untilNodeWants(value: string): Promise<void> {
    await waitUntil(`the node to want ${value}`, async () => {
      const answer = await fetch(`${this.site.edge.text('http')}/twins/default/boiler`);
      return ((await answer.json()) as Twin).properties['number']?.desired?.value === value;
    });
  }

  async untilCondition(status: string, reason: string): Promise<Condition> {
    return waitUntil(`LocalOverride to be ${status} ${reason}`, async () => {
      const condition = (await this.site.device('boiler')).status?.conditions?.find(
        ({ type }) => type === 'LocalOverride',
      );
      return condition?.status === status && condition.reason === reason ? condition : undefined;
    });
  }

  /** `skerry twin …` at the cloud's side; the answer as JSON. */
  async cloud(command: string, ...operands: readonly string[]): Promise<Finished & { readonly said: unknown }> {
    return this.#run(['twin', command, 'boiler', ...operands, '--kubeconfig', this.site.kubeconfig]);
  }

  /** At the node's side. */
  async node(command: string, ...operands: readonly string[]): Promise<Finished & { readonly said: unknown }> {
    return this.#run(['twin', command, 'boiler', ...operands, '--edge', this.site.edge.text('http')]);
  }

  async #run(args: readonly string[]): Promise<Finished & { readonly said: unknown }> {
    const finished = await runProgram([...args, '--output', 'json']);
    return { ...finished, said: JSON.parse(finished.stdout) };
  }
}

async function begin(site: SmallSite): Promise<Story> {
  const story = new Story(site);
  await story.want('1');
  await story.untilNodeWants('1');
  return story;
}

void test('what a node wants instead of the cloud is a condition of the Device until the cloud accepts it', async () => {
  await using site = await SmallSite.start(['boiler']);
  const story = await begin(site);

  assert.equal((await story.node('set', 'number=5')).code, 0);

  const { message } = await story.untilCondition('True', 'SetAtNode');
  assert.match(message, /number is to be 5 where the spec wants 1/);
  const waited = await story.kubectl.run(['wait', '--for=condition=LocalOverride', 'device/boiler', '--timeout=10s']);
  assert.equal(waited.code, 0, waited.stderr);
  const shown = (await story.cloud('get')).said as ShownTwin;
  assert.deepEqual(shown.properties, [{ property: 'number', desired: '1', override: '5' }]);

  const repeated = { device: 'boiler', property: 'number', desired: '1', override: '5', overrideStands: true };
  assert.deepEqual((await story.cloud('set', 'number=1')).said, repeated);
  const refused = await story.cloud('accept', 'colour');
  assert.deepEqual([refused.code, (refused.said as { error: { code: string } }).error.code], [1, 'OVERRIDE_NOT_FOUND']);

  const accepted = [{ property: 'number', from: '1', to: '5' }];
  assert.deepEqual((await story.cloud('accept')).said, { device: 'boiler', accepted });
  assert.equal((await site.device('boiler')).spec.properties?.[0]?.desired?.value, '5');
  await story.untilCondition('False', 'Agreed');
  const events = await story.kubectl.run(['get', 'events', '-o', 'jsonpath={.items[*].reason}']);
  assert.equal(events.stdout.includes('LocalOverrideLost'), false);
});

void test('a newer word of the cloud wins over what the node wants, and an Event says what was lost', async () => {
  await using site = await SmallSite.start(['boiler']);
  const story = await begin(site);
  await story.node('set', 'number=9');
  await story.untilCondition('True', 'SetAtNode');

  const { said } = await story.cloud('set', 'number=7');

  assert.deepEqual(said, { device: 'boiler', property: 'number', desired: '7', override: '9', overrideStands: false });
  await story.untilNodeWants('7');
  await story.untilCondition('False', 'CloudChanged');
  const text =
    'jsonpath={range .items[?(@.reason=="LocalOverrideLost")]}{.type} {.involvedObject.name} {.message}{end}';
  const event = await waitUntil('the Event', async () => {
    const { stdout } = await story.kubectl.run(['get', 'events', '-o', text]);
    return stdout === '' ? undefined : stdout;
  });
  assert.match(event, /^Warning boiler number: 9, which was set on node site, .* 7 is desired now$/);
});

void test('what a node wants survives its death, and it can take that back without knowing a port', async () => {
  await using site = await SmallSite.start(['boiler']);
  const story = await begin(site);
  await story.node('set', 'number=3');
  await story.untilCondition('True', 'SetAtNode');

  await site.edge.kill();
  await site.startEdge();
  await story.untilNodeWants('3');
  const reset = ['twin', 'reset', 'boiler', 'number', '--data-dir', join(site.dir, 'edge'), '--output', 'json'];
  const { stdout } = await runProgram(reset);

  assert.deepEqual(JSON.parse(stdout), { device: 'boiler', property: 'number', desired: '1' });
  await story.untilNodeWants('1');
  await story.untilCondition('False', 'Released');
  const again = await runProgram(reset);
  assert.equal(again.code, 1);
  assert.match(again.stdout, /nothing was set at this node/);
});
