import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../../../../../src/cloud/authority/authority.ts';
import { systemClock } from '../../../../../src/kit/clock.ts';
import { pinOf } from '../../../../../src/kit/ca-pin.ts';
import { silentLogger } from '../../../../../src/kit/logger.ts';
import { tempDir } from '../../../../support/temp-dir.ts';

const open = (dir: string): Promise<Authority> => Authority.open(dir, { clock: systemClock, logger: silentLogger });

test('what is made at the first start is the same at the next, and readable by its owner only', async () => {
  await using dir = await tempDir();
  const first = await open(dir.path);

  const second = await open(dir.path);

  assert.equal(second.caCertificate, first.caCertificate);
  assert.equal(pinOf(second.caCertificate), pinOf(first.caCertificate));
  assert.deepEqual([second.account, second.systemAccount.publicKey], [first.account, first.systemAccount.publicKey]);
  for (const file of ['ca.pem', 'operator.seed', 'system-account.seed', 'account.seed'])
    assert.equal((await stat(join(dir.path, 'authority', file))).mode & 0o777, 0o600, file);
  assert.equal((await stat(join(dir.path, 'authority'))).mode & 0o777, 0o700);
});

test('a certificate is for the hosts that it was asked for, signed, and good for a node whose clock is at 1970', async () => {
  await using dir = await tempDir();
  const authority = await open(dir.path);

  const { certificate } = await authority.issueCertificate({ hosts: ['hub.example', '192.0.2.7'], commonName: 'hub' });

  const leaf = new X509Certificate(certificate);
  assert.notEqual(leaf.checkHost('hub.example'), undefined);
  assert.notEqual(leaf.checkIP('192.0.2.7'), undefined);
  assert.equal(leaf.checkHost('other.example'), undefined);
  assert.ok(leaf.verify(new X509Certificate(authority.caCertificate).publicKey));
  assert.equal(Date.parse(leaf.validFrom), 0);
  assert.ok(certificate.endsWith(authority.caCertificate));
});
