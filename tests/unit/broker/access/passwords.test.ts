import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessControl } from '../../../../broker/access/access-control.ts';
import { formatUsers, parseUsers } from '../../../../broker/access/password-file.ts';
import { hashPassword, parseHash } from '../../../../broker/access/passwords.ts';

const claim = (user: string, password: string, address = '10.0.0.1', isGivenUp = () => false) => ({
  ...{ user, address, isGivenUp },
  password: Buffer.from(password),
});

async function withUsers(...names: string[]): Promise<AccessControl> {
  const access = new AccessControl();
  const lines = await Promise.all(names.map(async (name) => `${name}:${await hashPassword(`of ${name}`)}`));
  access.setUsers(lines.join('\n'), 'users');
  return access;
}

void test('a password opens for its user alone, also the second time', async () => {
  const access = await withUsers('pump', 'valve');

  for (let time = 0; time < 2; time += 1) {
    assert.equal((await access.identify(claim('pump', 'of pump')))?.user, 'pump');
    assert.equal(await access.identify(claim('pump', 'of valve')), undefined);
    assert.equal(await access.identify(claim('nobody', 'of pump')), undefined);
    assert.equal(await access.identify(claim('pump', '')), undefined);
  }
});

void test('a password that was right is right no more when the file has another, or the user no more', async () => {
  const access = await withUsers('pump');
  const before = await access.identify(claim('pump', 'of pump'));
  assert.ok(before);

  access.setUsers(`pump:${await hashPassword('new')}`, 'users');
  assert.equal(await access.identify(claim('pump', 'of pump')), undefined);
  assert.equal(access.rightsOf(before, 'c').mayPublish('plain'), false);

  access.setUsers(undefined, 'users');
  assert.equal(await access.identify(claim('pump', 'new')), undefined);
});

void test('who guesses from one address delays nobody at another, and who has gone costs nothing', async () => {
  const access = await withUsers('pump');
  const order: string[] = [];
  const guesses = Array.from({ length: 6 }, (_, n) =>
    access.identify(claim('pump', `guess ${n}`, '10.0.0.66')).then(() => order.push('guess')),
  );
  const gone = access
    .identify(claim('pump', 'of pump', '10.0.0.66', () => true))
    .then((who) => order.push(`gone ${who?.user ?? 'unknown'}`));
  const right = access.identify(claim('pump', 'of pump', '10.0.0.1')).then((who) => order.push(who?.user ?? ''));
  await Promise.all([...guesses, gone, right]);

  assert.ok(order.indexOf('pump') <= 2, order.join(' '));
  assert.equal(order.at(-1), 'gone unknown');
});

void test('a file is read as it was written, and a wrong line is named and not repeated', async () => {
  const text = `pump:${await hashPassword('x')}\nplant/valve:${await hashPassword('y')}\n`;
  assert.equal(formatUsers(parseUsers(`# comment\n\n${text}`, 'users')), text);

  for (const line of ['pump', 'pump:geheim', ':x', `a b:${await hashPassword('x')}`, `+:${await hashPassword('x')}`])
    assert.throws(
      () => parseUsers(`${text}${line}`, 'users'),
      (error: Error) => /line 3 of the password file users/.test(error.message) && !error.message.includes('geheim'),
    );
});

void test('a hash that would hold up everybody is none', () => {
  const tail = `$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  assert.ok(parseHash(`$scrypt$ln=14,r=8,p=1${tail}`));
  for (const cost of ['ln=20,r=8,p=1', 'ln=0,r=8,p=1', 'ln=14,r=64,p=1', 'ln=14,r=8,p=9'])
    assert.equal(parseHash(`$scrypt$${cost}${tail}`), undefined, cost);
});
