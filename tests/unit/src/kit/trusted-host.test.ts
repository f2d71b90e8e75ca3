import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrustedHost } from '../../../../src/kit/trusted-host.ts';

void test('addresses, loopback and the configured name are trusted, names of others are not', () => {
  for (const host of ['localhost', 'LOCALHOST:10550', '127.0.0.1:10550', '[::1]:10550', '192.0.2.7', 'edge.plant:80']) {
    assert.equal(isTrustedHost(host, 'edge.plant'), true, host);
  }
  for (const host of ['evil.example', 'localhost.evil.example:10550', '127.0.0.1.evil.example', '', undefined]) {
    assert.equal(isTrustedHost(host, 'edge.plant'), false, host);
  }
});
