// Do events reach the webhook: in EventBridge's form, signed, at least once whatever happens to either
// side, and without keeping a request waiting?
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Clock } from '../lib/clock.mjs';
import { Server, account, region, run } from '../lib/server.mjs';
import { until } from '../lib/until.mjs';

const secret = 'a secret of the webhook, for tests';
const day = 86400 * 1000;
let root;
let clock;
let server;

// Receiver answers as `answer` says and keeps what it was sent.
class Receiver {
  async start(port = 0) {
    this.got = [];
    this.answer = () => 204;
    this.http = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += chunk; });
      request.on('end', () => {
        const status = this.answer(body, this.got.length);
        if (status === 'hang') return;
        this.got.push({ status, body, headers: request.headers, method: request.method });
        response.writeHead(status).end();
      });
    });
    await new Promise((resolve) => { this.http.listen(port, '127.0.0.1', resolve); });
    this.port = this.http.address().port;
    return this;
  }

  get taken() {
    return this.got.filter(({ status }) => status === 204).map(({ body }) => JSON.parse(body));
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((resolve) => { this.http.close(resolve); });
  }
}

const send = (command) => server.client({ systemClockOffset: clock.offset }).send(command);
const newKey = async (input = {}) => (await send(new kms.CreateKeyCommand(input))).KeyMetadata;
const rotate = (KeyId) => send(new kms.RotateKeyOnDemandCommand({ KeyId }));

let receiver;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'keyturn-events-'));
  clock = await Clock.make();
  await writeFile(path.join(root, 'secret'), `${secret}\n`);
  receiver = await new Receiver().start();
  server = await Server.start({
    args: ['--event-webhook', `http://127.0.0.1:${receiver.port}/events?from=keyturn`,
      '--event-webhook-secret', path.join(root, 'secret')],
    env: clock.env });
});
after(async () => {
  await server.stop();
  await receiver.stop();
  await clock.remove();
  await rm(root, { recursive: true, force: true });
});
afterEach(() => { receiver.answer = () => 204; });

const eventOf = (type, KeyId) => until(() => receiver.taken.find((event) => event['detail-type'] === type
  && event.detail['key-id'] === KeyId), Boolean, { why: `no ${type} of ${KeyId}` });

test('a rotation, in the form of EventBridge, signed', async () => {
  const key = await newKey();
  await rotate(key.KeyId);
  const event = await eventOf('KMS CMK Rotation', key.KeyId);
  assert.match(event.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual({ ...event, id: '', time: '' }, { version: '0', id: '', 'detail-type': 'KMS CMK Rotation',
    source: 'aws.kms', account, time: '', region, resources: [key.Arn], detail: { 'key-id': key.KeyId } });
  const sent = receiver.got.find(({ body }) => body.includes(event.id));
  assert.equal(sent.method, 'POST');
  assert.equal(sent.headers['content-type'], 'application/json');
  assert.equal(sent.headers['x-keyturn-event-id'], event.id);
  const mac = crypto.createHmac('sha256', secret).update(sent.body).digest('hex');
  assert.equal(sent.headers['x-keyturn-signature'], `sha256=${mac}`);
});

test('a deletion, and the expiry of imported material', async () => {
  const doomed = await newKey();
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId: doomed.KeyId, PendingWindowInDays: 7 }));
  const external = await newKey({ Origin: 'EXTERNAL' });
  const { ImportToken, PublicKey } = await send(new kms.GetParametersForImportCommand(
    { KeyId: external.KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }));
  const key = crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  const EncryptedKeyMaterial = crypto.publicEncrypt({ key, oaepHash: 'sha256',
    padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, crypto.randomBytes(32));
  await send(new kms.ImportKeyMaterialCommand({ KeyId: external.KeyId, ImportToken, EncryptedKeyMaterial,
    ValidTo: new Date(Date.now() + day) }));
  await clock.moveTo(1.1 * day);
  await eventOf('KMS Imported Key Material Expiration', external.KeyId);
  await clock.moveTo(7.1 * day);
  await eventOf('KMS CMK Deletion', doomed.KeyId);
});

test('a webhook that fails or hangs gets the event again, and no request waits for it', async () => {
  let failures = 0;
  receiver.answer = () => {
    failures += 1;
    return failures === 1 ? 500 : failures === 2 ? 'hang' : 204;
  };
  const key = await newKey();
  await rotate(key.KeyId);
  const other = await newKey();
  const begun = Date.now();
  await rotate(other.KeyId);
  assert.ok(Date.now() - begun < 5000, 'a rotation waited for the webhook');
  await eventOf('KMS CMK Rotation', key.KeyId);
  await eventOf('KMS CMK Rotation', other.KeyId);
  assert.ok(failures >= 3);
  const order = receiver.taken.map((event) => event.detail['key-id']);
  assert.ok(order.indexOf(key.KeyId) < order.indexOf(other.KeyId), 'the order of the rotations');
});

test('what the server had committed when it was killed arrives after its restart', async () => {
  receiver.answer = () => 503;
  const keys = [];
  for (let i = 0; i < 3; i += 1) {
    const key = await newKey();
    await rotate(key.KeyId);
    keys.push(key.KeyId);
  }
  await server.kill('SIGKILL');
  receiver.answer = () => 204;
  await server.launch();
  for (const KeyId of keys) await eventOf('KMS CMK Rotation', KeyId);
  // Delivered ones do not come back.
  await server.kill('SIGTERM');
  const before = receiver.got.length;
  await server.launch();
  const key = await newKey();
  await rotate(key.KeyId);
  await eventOf('KMS CMK Rotation', key.KeyId);
  assert.equal(receiver.got.length, before + 1);
});

test('metrics count them', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /^keyturn_events_delivered_total [1-9]/m);
});

test('a webhook that is neither https nor here, or has no secret, stops the start', async () => {
  const start = (...args) => run(['serve', '--dev', '--data-dir', path.join(root, 'none'), '--listen',
    '127.0.0.1:0', ...args]);
  for (const url of ['http://example.com/', 'ftp://127.0.0.1/', 'http://127.0.0.1@example.com/',
    'http://127.0.0.1.example.com/', 'https://']) {
    const done = await start('--event-webhook', url, '--event-webhook-secret', path.join(root, 'secret'));
    assert.equal(done.code, 1, url);
    assert.match(done.stderr, /--event-webhook/, url);
  }
  assert.match((await start('--event-webhook', 'https://example.com/')).stderr, /needs --event-webhook-secret/);
  await writeFile(path.join(root, 'short'), 'short\n');
  assert.match((await start('--event-webhook', 'https://example.com/', '--event-webhook-secret',
    path.join(root, 'short'))).stderr, /at least 16 characters/);
});
