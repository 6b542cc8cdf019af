// SM2 in the China Regions: does OpenSSL's command line, as the other side, agree with every operation?
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, failure } from '../lib/server.mjs';

const china = 'cn-north-1';
const distinguishing = 'distid:1234567812345678';
let server;
let client;
let directory;
const send = (command, on = client) => on.send(command);
const newKey = async (KeyUsage, more = {}) => (await send(new kms.CreateKeyCommand(
  { KeySpec: 'SM2', KeyUsage, ...more }))).KeyMetadata;
const file = (name, content) => {
  writeFileSync(path.join(directory, name), content);
  return name;
};
const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
const publicKey = async (KeyId) => {
  const { PublicKey } = await send(new kms.GetPublicKeyCommand({ KeyId }));
  file('public.der', PublicKey);
  openssl('pkey', '-pubin', '-inform', 'DER', '-in', 'public.der', '-out', 'public.pem');
  return 'public.pem';
};
const message = Buffer.from('message digest');

before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'keyturn-sm2-'));
  server = await Server.start();
  client = server.client({ region: china });
});
after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('metadata and public key', async () => {
  const key = await newKey('SIGN_VERIFY');
  assert.match(key.Arn, /^arn:aws-cn:kms:cn-north-1:/);
  assert.deepEqual(key.SigningAlgorithms, ['SM2DSA']);
  assert.equal(key.CustomerMasterKeySpec, 'SM2');
  assert.deepEqual((await newKey('ENCRYPT_DECRYPT')).EncryptionAlgorithms, ['SM2PKE']);
  const text = openssl('pkey', '-pubin', '-in', await publicKey(key.KeyId), '-noout', '-text').toString();
  assert.match(text, /SM2/);
});

test('signatures of messages and of digests', async () => {
  const { KeyId } = await newKey('SIGN_VERIFY');
  const pem = await publicKey(KeyId);
  const SigningAlgorithm = 'SM2DSA';
  const raw = await send(new kms.SignCommand({ KeyId, Message: message, SigningAlgorithm }));
  file('message', message);
  file('signature', raw.Signature);
  openssl('pkeyutl', '-verify', '-pubin', '-inkey', pem, '-in', 'message', '-sigfile', 'signature',
    '-rawin', '-digest', 'sm3', '-pkeyopt', distinguishing);
  assert.equal((await send(new kms.VerifyCommand(
    { KeyId, Message: message, SigningAlgorithm, Signature: raw.Signature }))).SignatureValid, true);
  const digest = Buffer.alloc(32, 7);
  const signed = await send(new kms.SignCommand(
    { KeyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm }));
  file('digest', digest);
  file('signature', signed.Signature);
  openssl('pkeyutl', '-verify', '-pubin', '-inkey', pem, '-in', 'digest', '-sigfile', 'signature');
  await send(new kms.VerifyCommand(
    { KeyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm, Signature: signed.Signature }));
  for (const wrong of [{ Message: Buffer.from('another') }, { Signature: Buffer.alloc(70, 1) },
    { MessageType: 'DIGEST', Message: Buffer.alloc(32, 8) }]) {
    assert.equal((await failure(send(new kms.VerifyCommand(
      { KeyId, Message: message, SigningAlgorithm, Signature: raw.Signature, ...wrong })))).name,
    'KMSInvalidSignatureException');
  }
  const short = await failure(send(new kms.SignCommand(
    { KeyId, Message: Buffer.alloc(31), MessageType: 'DIGEST', SigningAlgorithm })));
  assert.equal(short.message, 'Digest is invalid length for algorithm SM2DSA.');
});

test('encryption, to the byte', async () => {
  const { KeyId } = await newKey('ENCRYPT_DECRYPT');
  const pem = await publicKey(KeyId);
  const EncryptionAlgorithm = 'SM2PKE';
  for (const size of [1, 32, 1024]) {
    const Plaintext = Buffer.alloc(size, 3);
    const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext, EncryptionAlgorithm }));
    const opened = await send(new kms.DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm }));
    assert.deepEqual(Buffer.from(opened.Plaintext), Plaintext);
    file('plain', Plaintext);
    openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', pem, '-in', 'plain', '-out', 'cipher');
    const theirs = await send(new kms.DecryptCommand(
      { KeyId, CiphertextBlob: readFileSync(path.join(directory, 'cipher')), EncryptionAlgorithm }));
    assert.deepEqual(Buffer.from(theirs.Plaintext), Plaintext);
    const broken = Buffer.from(CiphertextBlob);
    broken[broken.length - 1] ^= 1;
    assert.equal((await failure(send(new kms.DecryptCommand(
      { KeyId, CiphertextBlob: broken, EncryptionAlgorithm })))).name, 'InvalidCiphertextException');
  }
  const long = await failure(send(new kms.EncryptCommand(
    { KeyId, Plaintext: Buffer.alloc(1025), EncryptionAlgorithm })));
  assert.equal(long.message, 'Algorithm SM2PKE and key spec SM2 cannot encrypt data larger than 1024 bytes.');
});

test('a data key pair is one that OpenSSL can use', async () => {
  const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const pair = await send(new kms.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'SM2' }));
  file('private.der', pair.PrivateKeyPlaintext);
  openssl('pkey', '-inform', 'DER', '-in', 'private.der', '-out', 'private.pem');
  file('message', message);
  openssl('pkeyutl', '-sign', '-inkey', 'private.pem', '-in', 'message', '-out', 'signature', '-rawin',
    '-digest', 'sm3', '-pkeyopt', distinguishing);
  file('public.der', pair.PublicKey);
  openssl('pkey', '-pubin', '-inform', 'DER', '-in', 'public.der', '-out', 'public.pem');
  openssl('pkeyutl', '-verify', '-pubin', '-inkey', 'public.pem', '-in', 'message', '-sigfile', 'signature',
    '-rawin', '-digest', 'sm3', '-pkeyopt', distinguishing);
});

test('a key of one\'s own is imported under SM2PKE, and signs', async () => {
  openssl('genpkey', '-algorithm', 'SM2', '-out', 'own.pem');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'own.pem', '-outform', 'DER', '-out', 'own.der');
  const { KeyId } = await newKey('SIGN_VERIFY', { Origin: 'EXTERNAL' });
  const { ImportToken, PublicKey } = await send(new kms.GetParametersForImportCommand(
    { KeyId, WrappingAlgorithm: 'SM2PKE', WrappingKeySpec: 'SM2' }));
  file('wrapping.der', PublicKey);
  openssl('pkey', '-pubin', '-inform', 'DER', '-in', 'wrapping.der', '-out', 'wrapping.pem');
  openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', 'wrapping.pem', '-in', 'own.der', '-out', 'wrapped');
  await send(new kms.ImportKeyMaterialCommand({ KeyId, ImportToken,
    EncryptedKeyMaterial: readFileSync(path.join(directory, 'wrapped')),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }));
  const { Signature } = await send(new kms.SignCommand(
    { KeyId, Message: message, SigningAlgorithm: 'SM2DSA' }));
  openssl('pkey', '-in', 'own.pem', '-pubout', '-out', 'own.pub');
  file('message', message);
  file('signature', Signature);
  openssl('pkeyutl', '-verify', '-pubin', '-inkey', 'own.pub', '-in', 'message', '-sigfile', 'signature',
    '-rawin', '-digest', 'sm3', '-pkeyopt', distinguishing);
});

test('where AWS has no SM2, and what OpenSSL cannot do, is refused', async () => {
  const elsewhere = server.client();
  const refused = await failure(send(new kms.CreateKeyCommand(
    { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }), elsewhere));
  assert.equal(refused.name, 'UnsupportedOperationException');
  assert.equal(refused.message, 'KeySpec SM2 is available in China Regions only.');
  const { KeyId } = (await send(new kms.CreateKeyCommand({}), elsewhere)).KeyMetadata;
  const pair = await failure(send(new kms.GenerateDataKeyPairCommand(
    { KeyId, KeyPairSpec: 'SM2' }), elsewhere));
  assert.equal(pair.name, 'UnsupportedOperationException');
  assert.equal((await failure(newKey('KEY_AGREEMENT'))).name, 'UnsupportedOperationException');
  assert.equal((await failure(newKey('GENERATE_VERIFY_MAC'))).name, 'ValidationException');
});
