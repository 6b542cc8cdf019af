// Do key pairs and HMAC keys do what AWS's do? node:crypto is the independent oracle: it verifies
// what the server signs, encrypts what it decrypts, and agrees on the same secret.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, failure } from '../lib/server.mjs';

let server;
let client;
const send = (Command, input) => client.send(new Command(input));
before(async () => {
  server = await Server.start();
  client = server.client();
});
after(() => server.stop());

const make = async (KeySpec, KeyUsage) => (await send(kms.CreateKeyCommand, { KeySpec, KeyUsage }))
  .KeyMetadata;
const publicKey = async (KeyId) => {
  const answer = await send(kms.GetPublicKeyCommand, { KeyId });
  return { answer, key: crypto.createPublicKey({ key: Buffer.from(answer.PublicKey), format: 'der',
    type: 'spki' }) };
};
const message = Buffer.from('what is signed');

const rsa = ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512'];
const specs = { RSA_2048: rsa, RSA_3072: rsa, RSA_4096: rsa, ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'], ECC_NIST_P521: ['ECDSA_SHA_512'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'], ECC_NIST_EDWARDS25519: ['ED25519_SHA_512'] };
const hashOf = (algorithm) => `sha${algorithm.slice(-3)}`;
const isValid = (algorithm, key, signature) => {
  const pss = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
    saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST };
  return crypto.verify(algorithm.startsWith('ED') ? null : hashOf(algorithm), message,
    algorithm.includes('PSS') ? { key, ...pss } : key, signature);
};

for (const [spec, algorithms] of Object.entries(specs)) {
  test(`${spec} signs what others verify, and verifies it itself`, async () => {
    const metadata = await make(spec, 'SIGN_VERIFY');
    const { KeyId, Arn } = metadata;
    assert.deepEqual(metadata.SigningAlgorithms, algorithms);
    assert.equal(metadata.EncryptionAlgorithms, undefined);
    assert.equal(metadata.CurrentKeyMaterialId, undefined);
    const { answer, key } = await publicKey(KeyId);
    assert.equal(answer.KeySpec, spec);
    for (const SigningAlgorithm of algorithms) {
      const { Signature, KeyId: signer } = await send(kms.SignCommand, { KeyId, Message: message,
        SigningAlgorithm });
      assert.equal(signer, Arn);
      assert.ok(isValid(SigningAlgorithm, key, Buffer.from(Signature)), SigningAlgorithm);
      const input = { KeyId, Message: message, SigningAlgorithm, Signature };
      assert.equal((await send(kms.VerifyCommand, input)).SignatureValid, true);
      const other = { ...input, Message: Buffer.from('something else') };
      assert.equal((await failure(send(kms.VerifyCommand, other))).name,
        'KMSInvalidSignatureException');
      if (SigningAlgorithm.startsWith('ED')) continue;
      const Message = crypto.createHash(hashOf(SigningAlgorithm)).update(message).digest();
      const digest = await send(kms.SignCommand, { KeyId, Message, MessageType: 'DIGEST',
        SigningAlgorithm });
      assert.ok(isValid(SigningAlgorithm, key, Buffer.from(digest.Signature)));
      const short = await failure(send(kms.SignCommand, { KeyId, Message: Message.subarray(1),
        MessageType: 'DIGEST', SigningAlgorithm }));
      assert.equal(short.name, 'ValidationException');
      assert.equal(short.message, `Digest is invalid length for algorithm ${SigningAlgorithm}.`);
    }
  });
}

test('RSA encrypts for others and decrypts what they encrypted, to the byte', async () => {
  const { KeyId, EncryptionAlgorithms } = await make('RSA_2048', 'ENCRYPT_DECRYPT');
  assert.deepEqual(EncryptionAlgorithms, ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']);
  const { key } = await publicKey(KeyId);
  for (const [EncryptionAlgorithm, oaepHash, longest] of [['RSAES_OAEP_SHA_1', 'sha1', 214],
    ['RSAES_OAEP_SHA_256', 'sha256', 190]]) {
    const Plaintext = crypto.randomBytes(longest);
    const padding = crypto.constants.RSA_PKCS1_OAEP_PADDING;
    const theirs = crypto.publicEncrypt({ key, padding, oaepHash }, Plaintext);
    const opened = await send(kms.DecryptCommand, { KeyId, CiphertextBlob: theirs,
      EncryptionAlgorithm });
    assert.deepEqual(Buffer.from(opened.Plaintext), Plaintext);
    assert.equal(opened.KeyMaterialId, undefined);
    const { CiphertextBlob } = await send(kms.EncryptCommand, { KeyId, Plaintext,
      EncryptionAlgorithm });
    const back = await send(kms.DecryptCommand, { KeyId, CiphertextBlob, EncryptionAlgorithm });
    assert.deepEqual(Buffer.from(back.Plaintext), Plaintext);
    const long = await failure(send(kms.EncryptCommand, { KeyId, EncryptionAlgorithm,
      Plaintext: crypto.randomBytes(longest + 1) }));
    assert.equal(long.message, `Algorithm ${EncryptionAlgorithm} and key spec RSA_2048 cannot `
      + `encrypt data larger than ${longest} bytes.`);
    const torn = await failure(send(kms.DecryptCommand, { KeyId, EncryptionAlgorithm,
      CiphertextBlob: theirs.subarray(1) }));
    assert.equal(torn.name, 'InvalidCiphertextException');
  }
  const none = await failure(send(kms.EncryptCommand, { KeyId, Plaintext: message }));
  assert.equal(none.name, 'InvalidKeyUsageException');
  assert.equal(none.message, 'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.');
  const nobody = await failure(send(kms.DecryptCommand, { CiphertextBlob: message,
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }));
  assert.equal(nobody.message, 'KeyId must not be null');
  const context = await failure(send(kms.EncryptCommand, { KeyId, Plaintext: message,
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_256', EncryptionContext: { a: 'b' } }));
  assert.equal(context.name, 'ValidationException');
  // From RSA to a symmetric key and back.
  const { KeyMetadata } = await send(kms.CreateKeyCommand, {});
  const { CiphertextBlob } = await send(kms.EncryptCommand, { KeyId, Plaintext: message,
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' });
  const moved = await send(kms.ReEncryptCommand, { CiphertextBlob, SourceKeyId: KeyId,
    SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', DestinationKeyId: KeyMetadata.KeyId });
  const read = await send(kms.DecryptCommand, { CiphertextBlob: moved.CiphertextBlob });
  assert.deepEqual(Buffer.from(read.Plaintext), message);
});

for (const [spec, curve, bytes] of [['ECC_NIST_P256', 'prime256v1', 32],
  ['ECC_NIST_P384', 'secp384r1', 48], ['ECC_NIST_P521', 'secp521r1', 66]]) {
  test(`${spec} agrees with a peer on ${bytes} bytes`, async () => {
    const { KeyId, KeyAgreementAlgorithms } = await make(spec, 'KEY_AGREEMENT');
    assert.deepEqual(KeyAgreementAlgorithms, ['ECDH']);
    const { key } = await publicKey(KeyId);
    const peer = crypto.generateKeyPairSync('ec', { namedCurve: curve });
    const derive = (PublicKey) => send(kms.DeriveSharedSecretCommand, { KeyId,
      KeyAgreementAlgorithm: 'ECDH', PublicKey });
    const { SharedSecret } = await derive(peer.publicKey.export({ type: 'spki', format: 'der' }));
    const theirs = crypto.diffieHellman({ privateKey: peer.privateKey, publicKey: key });
    assert.deepEqual(Buffer.from(SharedSecret), theirs);
    assert.equal(SharedSecret.length, bytes);
    const other = crypto.generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    for (const bad of [Buffer.from('no key'), other.publicKey.export({ type: 'spki', format: 'der' })]) {
      assert.equal((await failure(derive(bad))).name, 'ValidationException');
    }
  });
}

for (const bits of [224, 256, 384, 512]) {
  test(`HMAC_${bits} makes and verifies MACs, always the same`, async () => {
    const { KeyId, MacAlgorithms } = await make(`HMAC_${bits}`, 'GENERATE_VERIFY_MAC');
    const MacAlgorithm = `HMAC_SHA_${bits}`;
    assert.deepEqual(MacAlgorithms, [MacAlgorithm]);
    const input = { KeyId, Message: message, MacAlgorithm };
    const { Mac } = await send(kms.GenerateMacCommand, input);
    assert.equal(Mac.length, bits / 8);
    assert.deepEqual((await send(kms.GenerateMacCommand, input)).Mac, Mac);
    assert.equal((await send(kms.VerifyMacCommand, { ...input, Mac })).MacValid, true);
    for (const bad of [Mac.subarray(1), Buffer.alloc(bits / 8), Buffer.from('x')]) {
      assert.equal((await failure(send(kms.VerifyMacCommand, { ...input, Mac: bad }))).name,
        'KMSInvalidMacException');
    }
    const wrong = await failure(send(kms.GenerateMacCommand, { ...input,
      MacAlgorithm: bits === 256 ? 'HMAC_SHA_512' : 'HMAC_SHA_256' }));
    assert.equal(wrong.name, 'InvalidKeyUsageException');
    const none = await failure(send(kms.GetPublicKeyCommand, { KeyId }));
    assert.equal(none.name, 'UnsupportedOperationException');
  });
}

for (const KeyPairSpec of Object.keys(specs)) {
  test(`a data key pair of ${KeyPairSpec}: both halves fit, and the private one is wrapped`, async () => {
    const { KeyMetadata: { KeyId, CurrentKeyMaterialId } } = await send(kms.CreateKeyCommand, {});
    const EncryptionContext = { purpose: 'test' };
    const pair = await send(kms.GenerateDataKeyPairCommand, { KeyId, KeyPairSpec, EncryptionContext });
    const asPrivate = (der) => crypto.createPrivateKey({ key: Buffer.from(der), format: 'der',
      type: 'pkcs8' });
    const spki = crypto.createPublicKey(asPrivate(pair.PrivateKeyPlaintext))
      .export({ type: 'spki', format: 'der' });
    assert.deepEqual(spki, Buffer.from(pair.PublicKey));
    assert.equal(pair.KeyMaterialId, CurrentKeyMaterialId);
    const { Plaintext } = await send(kms.DecryptCommand, { EncryptionContext,
      CiphertextBlob: pair.PrivateKeyCiphertextBlob });
    assert.deepEqual(Plaintext, pair.PrivateKeyPlaintext);
    const blind = await send(kms.GenerateDataKeyPairWithoutPlaintextCommand, { KeyId, KeyPairSpec });
    assert.equal(blind.PrivateKeyPlaintext, undefined);
    const opened = await send(kms.DecryptCommand, { CiphertextBlob: blind.PrivateKeyCiphertextBlob });
    assert.deepEqual(crypto.createPublicKey(asPrivate(opened.Plaintext))
      .export({ type: 'spki', format: 'der' }), Buffer.from(blind.PublicKey));
  });
}

test('what does not fit is refused with AWS\'s words, and nothing is made', async () => {
  const misfits = [
    [{ KeySpec: 'RSA_2048' }, 'ValidationException', 'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.'],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }, 'ValidationException', 'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048'],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY' }, 'ValidationException', 'KeyUsage SIGN_VERIFY is not compatible with KeySpec HMAC_256'],
    [{ KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException', undefined],
    [{ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException', undefined],
  ];
  const count = async () => (await send(kms.ListKeysCommand, { Limit: 1000 })).Keys.length;
  const earlier = await count();
  for (const [input, name, text] of misfits) {
    const error = await failure(send(kms.CreateKeyCommand, input));
    assert.equal(error.name, name, JSON.stringify(input));
    if (text) assert.equal(error.message, text);
  }
  assert.equal(await count(), earlier);
  const signing = await make('ECC_NIST_P256', 'SIGN_VERIFY');
  const mac = await make('HMAC_256', 'GENERATE_VERIFY_MAC');
  const use = await failure(send(kms.EncryptCommand, { KeyId: signing.KeyId, Plaintext: message }));
  assert.equal(use.message, `${signing.Arn} key usage is SIGN_VERIFY which is not valid for Encrypt.`);
  for (const { KeyId } of [signing, mac]) {
    for (const Command of [kms.EnableKeyRotationCommand, kms.RotateKeyOnDemandCommand]) {
      assert.equal((await failure(send(Command, { KeyId }))).name, 'UnsupportedOperationException');
    }
    assert.equal((await send(kms.GetKeyRotationStatusCommand, { KeyId })).KeyRotationEnabled, false);
  }
  const misfit = await failure(send(kms.SignCommand, { KeyId: signing.KeyId, Message: message,
    SigningAlgorithm: 'ECDSA_SHA_512' }));
  assert.equal(misfit.message, 'Algorithm ECDSA_SHA_512 is incompatible with key spec ECC_NIST_P256.');
  const dry = { KeyId: signing.KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256', DryRun: true };
  assert.equal((await failure(send(kms.SignCommand, dry))).name, 'DryRunOperationException');
  await send(kms.DisableKeyCommand, { KeyId: signing.KeyId });
  assert.equal((await failure(send(kms.SignCommand, { ...dry, DryRun: undefined }))).name,
    'DisabledException');
  await publicKey(signing.KeyId);
});

test('key pairs survive a restart, and a slow one holds up nobody', async () => {
  const { KeyId } = await make('ECC_NIST_P384', 'SIGN_VERIFY');
  const { KeyId: Mac } = await make('HMAC_512', 'GENERATE_VERIFY_MAC');
  const sign = { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_384' };
  const { Signature } = await send(kms.SignCommand, sign);
  const before = await send(kms.GenerateMacCommand, { KeyId: Mac, Message: message, MacAlgorithm: 'HMAC_SHA_512' });
  let done = 0;
  const slow = Promise.all(Array.from({ length: 6 }, async () => {
    const made = await make('RSA_4096', 'SIGN_VERIFY');
    done += 1;
    return made;
  }));
  const { KeyMetadata } = await send(kms.CreateKeyCommand, {});
  assert.ok(KeyMetadata.KeyId);
  assert.ok(done < 6, 'a symmetric key was made while RSA keys were still being made');
  const [big] = await slow;
  const directory = server.root;
  server.keep = true;
  await server.stop();
  server = await Server.start({ directory });
  server.keep = false;
  client = server.client();
  assert.equal((await send(kms.VerifyCommand, { ...sign, Signature })).SignatureValid, true);
  const again = await send(kms.GenerateMacCommand, { KeyId: Mac, Message: message, MacAlgorithm: 'HMAC_SHA_512' });
  assert.deepEqual(again.Mac, before.Mac);
  await send(kms.SignCommand, { KeyId: big.KeyId, Message: message, SigningAlgorithm: 'RSASSA_PSS_SHA_512' });
});
