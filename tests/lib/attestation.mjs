// Attestation documents as a Nitro enclave gives them out, under a root of our own: certificates by
// `openssl`, CBOR and COSE by hand.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const head = (major, number) => {
  if (number < 24) return Buffer.from([major << 5 | number]);
  if (number < 256) return Buffer.from([major << 5 | 24, number]);
  if (number < 65536) return Buffer.from([major << 5 | 25, number >> 8, number & 255]);
  const eight = Buffer.alloc(9);
  eight[0] = major << 5 | 27;
  eight.writeBigUInt64BE(BigInt(number), 1);
  return eight;
};

// cbor encodes numbers, strings, buffers, arrays, maps (Map or object) and null.
export function cbor(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  return Buffer.concat([head(5, pairs.length), ...pairs.flatMap(([key, item]) => [cbor(key), cbor(item)])]);
}

// Authority: a root, an intermediate and a leaf on P-384, in a directory of its own.
export class Authority {
  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'keyturn-attestation-'));
    const openssl = (...args) => execFileSync('openssl', args, { cwd: this.directory, stdio: 'pipe' });
    const key = (name) => openssl('ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', `${name}.key`);
    const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
    writeFileSync(path.join(this.directory, 'ca.ext'), ca);
    writeFileSync(path.join(this.directory, 'leaf.ext'),
      'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\n');
    const signed = (name, issuer, extensions) => {
      key(name);
      openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=test ${name}`, '-out', `${name}.csr`);
      const by = issuer ? ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial']
        : ['-signkey', `${name}.key`];
      openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-sha384', '-days', '2', '-extfile',
        extensions, '-out', `${name}.pem`);
      openssl('x509', '-in', `${name}.pem`, '-outform', 'DER', '-out', `${name}.der`);
    };
    signed('root', null, 'ca.ext');
    signed('intermediate', 'root', 'ca.ext');
    signed('leaf', 'intermediate', 'leaf.ext');
    this.rootFile = path.join(this.directory, 'root.pem');
    this.der = (name) => readFileSync(path.join(this.directory, `${name}.der`));
    this.leafKey = crypto.createPrivateKey(readFileSync(path.join(this.directory, 'leaf.key')));
  }

  // document signs a payload; more replaces its members.
  document(publicKey, more = {}) {
    const pcrs = new Map([0, 1, 2, 3].map((number) => [number, Buffer.alloc(48, number + 1)]));
    const members = { module_id: 'i-0123456789abcdef0-enc0123456789abcdef', digest: 'SHA384',
      timestamp: Date.now(), pcrs, certificate: this.der('leaf'),
      cabundle: [this.der('root'), this.der('intermediate')], public_key: publicKey,
      user_data: null, nonce: null, ...more };
    for (const name of Object.keys(members)) if (members[name] === undefined) delete members[name];
    const payload = cbor(members);
    const header = cbor(new Map([[1, -35]]));
    const signature = crypto.sign('sha384', cbor(['Signature1', header, Buffer.alloc(0), payload]),
      { key: this.leafKey, dsaEncoding: 'ieee-p1363' });
    return cbor([header, {}, payload, signature]);
  }

  // open decrypts a CMS envelope with OpenSSL's command line.
  open(envelope, privateKeyPem) {
    const file = (name, content) => {
      writeFileSync(path.join(this.directory, name), content);
      return name;
    };
    return execFileSync('openssl', ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in',
      file('envelope', envelope), '-inkey', file('recipient.key', privateKeyPem)],
    { cwd: this.directory, stdio: 'pipe' });
  }

  describe(envelope) {
    writeFileSync(path.join(this.directory, 'envelope'), envelope);
    return execFileSync('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'envelope'],
      { cwd: this.directory, stdio: 'pipe' }).toString();
  }

  close() {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
