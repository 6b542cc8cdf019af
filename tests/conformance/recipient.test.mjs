// Do answers go in an envelope to the one who attested, and only if the document verifies with the
// configured root and the policies' conditions on it hold?
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Authority } from '../lib/attestation.mjs';
import { person } from '../lib/people.mjs';
import { Server, failure, run } from '../lib/server.mjs';
import { trailLines } from '../lib/trail.mjs';

let authority;
let server;
let client;
let KeyId;
const enclave = crypto.generateKeyPairSync('rsa', { modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
const send = (command, on = client) => on.send(command);
const recipient = (more) => ({ KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  AttestationDocument: authority.document(enclave.publicKey, more) });
const open = (envelope) => authority.open(Buffer.from(envelope), enclave.privateKey);

before(async () => {
  authority = new Authority();
  server = await Server.start({ args: ['--attestation-root', authority.rootFile] });
  client = server.client();
  KeyId = (await send(new kms.CreateKeyCommand({}))).KeyMetadata.KeyId;
});
after(async () => {
  await server.stop();
  authority.close();
});

test('Decrypt answers in an envelope', async () => {
  const { CiphertextBlob } = await send(new kms.EncryptCommand(
    { KeyId, Plaintext: Buffer.from('for the enclave'), EncryptionContext: { a: 'b' } }));
  const answer = await send(new kms.DecryptCommand(
    { CiphertextBlob, EncryptionContext: { a: 'b' }, Recipient: recipient() }));
  assert.equal(answer.Plaintext, undefined);
  assert.equal(answer.KeyMaterialId, undefined);
  assert.equal(open(answer.CiphertextForRecipient).toString(), 'for the enclave');
  const form = authority.describe(Buffer.from(answer.CiphertextForRecipient));
  assert.match(form, /pkcs7-envelopedData/);
  assert.match(form, /rsaesOaep[\s\S]*sha256[\s\S]*mgf1[\s\S]*sha256/);
  assert.match(form, /aes-256-cbc/);
  assert.match(form, /subjectKeyIdentifier/);
});

test('data keys, pairs, shared secrets and random bytes too', async () => {
  const Recipient = recipient();
  const dataKey = await send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', Recipient }));
  assert.equal(dataKey.Plaintext, undefined);
  assert.equal(dataKey.KeyMaterialId, undefined);
  const plain = await send(new kms.DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }));
  assert.deepEqual(open(dataKey.CiphertextForRecipient), Buffer.from(plain.Plaintext));

  const pair = await send(new kms.GenerateDataKeyPairCommand(
    { KeyId, KeyPairSpec: 'ECC_NIST_P256', Recipient }));
  assert.equal(pair.PrivateKeyPlaintext, undefined);
  const privateKey = crypto.createPrivateKey(
    { key: open(pair.CiphertextForRecipient), format: 'der', type: 'pkcs8' });
  assert.deepEqual(crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    Buffer.from(pair.PublicKey));

  const agreement = (await send(new kms.CreateKeyCommand(
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }))).KeyMetadata.KeyId;
  const peer = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { PublicKey } = await send(new kms.GetPublicKeyCommand({ KeyId: agreement }));
  const derived = await send(new kms.DeriveSharedSecretCommand({ KeyId: agreement,
    KeyAgreementAlgorithm: 'ECDH', Recipient,
    PublicKey: peer.publicKey.export({ format: 'der', type: 'spki' }) }));
  assert.equal(derived.SharedSecret, undefined);
  assert.deepEqual(open(derived.CiphertextForRecipient), crypto.diffieHellman({
    privateKey: peer.privateKey,
    publicKey: crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' }) }));

  const random = await send(new kms.GenerateRandomCommand({ NumberOfBytes: 1000, Recipient }));
  assert.equal(random.Plaintext, undefined);
  assert.equal(open(random.CiphertextForRecipient).length, 1000);
});

test('documents that do not verify are refused', async () => {
  const asked = (AttestationDocument) => send(new kms.GenerateRandomCommand({ NumberOfBytes: 8,
    Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument } }));
  const refused = async (document, why) => {
    const error = await failure(asked(document));
    assert.equal(error.name, 'ValidationException', why);
    assert.match(error.message, /attestation document is not valid/, why);
  };
  await asked(authority.document(enclave.publicKey));
  const good = authority.document(enclave.publicKey);
  for (const at of [0, 20, 300, good.length - 1]) {
    const changed = Buffer.from(good);
    changed[at] ^= 1;
    await refused(changed, `byte ${at}`);
  }
  await refused(Buffer.from('no CBOR at all'), 'no CBOR');
  const stranger = new Authority();
  await refused(stranger.document(enclave.publicKey), 'another root');
  await refused(stranger.document(enclave.publicKey, { certificate: authority.der('leaf'),
    cabundle: [authority.der('root'), authority.der('intermediate')] }), 'another key has signed');
  stranger.close();
  await refused(authority.document(enclave.publicKey, { cabundle: [authority.der('root')] }), 'a gap in the chain');
  await refused(authority.document(enclave.publicKey, { certificate: authority.der('intermediate'),
    cabundle: [authority.der('root')] }), "another certificate's key");
  await refused(authority.document(null), 'no public key');
  const small = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  await refused(authority.document(small.export({ type: 'spki', format: 'der' })), 'a short key');
  const curve = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  await refused(authority.document(curve.export({ type: 'spki', format: 'der' })), 'no RSA key');
  for (const more of [{ pcrs: new Map() }, { pcrs: new Map([[0, Buffer.alloc(5)]]) },
    { pcrs: new Map([[99, Buffer.alloc(48)]]) }, { digest: 'SHA1' }, { module_id: '' },
    { timestamp: 0 }, { certificate: Buffer.alloc(0) }, { cabundle: [] }, { pcrs: undefined }]) {
    await refused(authority.document(enclave.publicKey, more), Object.keys(more)[0]);
  }
});

test('conditions ask what was attested', async () => {
  const pcr = (number) => Buffer.alloc(48, number + 1).toString('hex');
  const allow = (Condition) => [{ Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*', Condition }];
  const cases = [
    [{ StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': pcr(0).toUpperCase() } }, {}, true],
    [{ StringEquals: { 'kms:RecipientAttestation:PCR2': pcr(2) } }, {}, true],
    [{ StringEquals: { 'kms:RecipientAttestation:PCR2': pcr(1) } }, {}, false],
    [{ StringEquals: { 'kms:RecipientAttestation:PCR8': pcr(8) } }, {}, false],
    [{ StringEquals: { 'kms:RecipientAttestation:NitroTPMPCR4': 'ab'.repeat(32) } },
      { pcrs: undefined, nitrotpm_pcrs: new Map([[4, Buffer.alloc(32, 0xab)]]) }, true],
    [{ StringEquals: { 'kms:RecipientAttestation:PCR4': 'ab'.repeat(32) } },
      { pcrs: undefined, nitrotpm_pcrs: new Map([[4, Buffer.alloc(32, 0xab)]]) }, false],
  ];
  for (const [number, [condition, more, allowed]] of cases.entries()) {
    const credentials = await person(server, `enclave${number}`, allow(condition));
    const theirs = server.client({ credentials });
    const asked = (Recipient) => send(new kms.GenerateRandomCommand({ NumberOfBytes: 8, Recipient }), theirs);
    if (allowed) {
      assert.ok((await asked(recipient(more))).CiphertextForRecipient, JSON.stringify(condition));
    } else {
      assert.equal((await failure(asked(recipient(more)))).name, 'AccessDeniedException');
    }
    assert.equal((await failure(asked(undefined))).name, 'AccessDeniedException');
  }
});

test('the trail says who attested, and nothing of the plaintext', async () => {
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('unlogged') }));
  const answer = await send(new kms.DecryptCommand({ CiphertextBlob, Recipient: recipient() }));
  const line = trailLines(server.dataDir).find((each) => each.includes(answer.$metadata.requestId));
  const recorded = JSON.parse(line).additionalEventData;
  assert.equal(recorded.recipient.attestationDocumentModuleId, 'i-0123456789abcdef0-enc0123456789abcdef');
  assert.equal(recorded.recipient.attestationDocumentEnclaveImageDigest, '01'.repeat(48));
  assert.match(recorded.keyMaterialId, /^[0-9a-f]{64}$/);
  assert.ok(!line.includes(Buffer.from('unlogged').toString('base64').slice(0, 10)));
});

test('without a root a document is refused, not ignored', async () => {
  const plain = await Server.start();
  const error = await failure(send(new kms.GenerateRandomCommand(
    { NumberOfBytes: 8, Recipient: recipient() }), plain.client()));
  assert.equal(error.name, 'UnsupportedOperationException');
  assert.match(error.message, /no root certificate/);
  await plain.stop();
});

test('a root that is none stops the start', async () => {
  const file = path.join(authority.directory, 'none.pem');
  await writeFile(file, 'hello\n');
  const done = await run(['serve', '--dev', '--data-dir', path.join(authority.directory, 'data'), '--listen',
    '127.0.0.1:0', '--attestation-root', file]);
  assert.equal(done.code, 1);
  assert.match(done.stderr, /none\.pem: no PEM certificate/);
});
