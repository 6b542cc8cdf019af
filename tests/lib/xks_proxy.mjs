// An external key store proxy for tests: version 1 of the API, with keys in memory, signatures checked
// by AWS's own library and AES-GCM by node's crypto. It can be told to misbehave.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

export const proxyCredential = {
  AccessKeyId: 'ABCDEFGHIJKLMNOPQRST2345',
  RawSecretAccessKey: 'proxy/only/secret/0123456789abcdefghijklmno+ABC=',
};

const health = {
  xksProxyFleetSize: 1, xksProxyVendor: 'Tests', xksProxyModel: 'Node', ekmVendor: 'Tests',
  ekmFleetDetails: [{ id: 'memory', model: '1', healthStatus: 'ACTIVE' }],
};

class Refusal extends Error {
  constructor(status, errorName, errorMessage) {
    super(errorName);
    this.status = status;
    this.body = { errorName, errorMessage };
  }
}

// aadOf: the specification's way of joining associated data and metadata.
function aadOf(aad, metadata) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(aad.length);
  return Buffer.concat([length, aad, Buffer.from([metadata.length]), metadata]);
}

export class XksProxy {
  // start listens on a free loopback port. hostname is the one that requests must be signed for.
  static async start({ hostname = 'xks.example.com', path = '/kms/xks/v1', tls, port = 0 } = {}) {
    const proxy = new XksProxy();
    Object.assign(proxy, { hostname, path, tls, keys: new Map(), requests: [],
      credential: proxyCredential, mode: {} });
    const listener = (request, response) => proxy.onRequest(request, response);
    proxy.server = tls ? https.createServer(tls, listener) : http.createServer(listener);
    await proxy.listen(port);
    return proxy;
  }

  async listen(port) {
    await new Promise((resolve) => { this.server.listen(port, '127.0.0.1', resolve); });
    this.port = this.server.address().port;
  }

  get url() { return `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`; }

  addKey(id, facts = {}) {
    this.keys.set(id, { material: randomBytes(32), keySpec: 'AES_256',
      keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED', ...facts });
  }

  // stop lets no connection live on.
  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }

  async onRequest(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    const mode = this.mode;
    try {
      if (mode.reset) {
        request.socket.destroy();
        return;
      }
      if (mode.slow) await new Promise((resolve) => { setTimeout(resolve, mode.slow); });
      if (mode.redirect) {
        response.writeHead(307, { location: `${this.url}${request.url}` }).end();
        return;
      }
      if (request.method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      if (mode.raw !== undefined) {
        response.writeHead(mode.status ?? 200, { 'content-type': 'application/json' })
          .end(mode.raw);
        return;
      }
      const answer = await this.answer(request, text);
      response.writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ...answer, ...mode.change }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.writeHead(error.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(error.body));
    }
  }

  async answer(request, text) {
    await this.authenticate(request, text);
    if (this.mode.refuse) throw new Refusal(...this.mode.refuse);
    if (!request.url.startsWith(this.path)) throw new Refusal(404, 'InvalidUriPathException');
    const rest = request.url.slice(this.path.length);
    const body = JSON.parse(text);
    this.requests.push({ call: rest, body, headers: request.headers });
    if (rest === '/health') return health;
    const [, id, call] = /^\/keys\/([A-Za-z0-9._-]+)\/(metadata|encrypt|decrypt)$/.exec(rest) ?? [];
    if (!id) throw new Refusal(404, 'InvalidUriPathException');
    const key = this.keys.get(id);
    if (!key) throw new Refusal(404, 'KeyNotFoundException', 'no such key');
    if (call === 'metadata') {
      const { keySpec, keyUsage, keyStatus } = key;
      return { keySpec, keyUsage, keyStatus };
    }
    if (key.keyStatus !== 'ENABLED') throw new Refusal(400, 'InvalidStateException');
    if (body.encryptionAlgorithm !== 'AES_GCM') throw new Refusal(400, 'ValidationException');
    return call === 'encrypt' ? this.encrypt(key, body) : this.decrypt(key, body);
  }

  encrypt(key, body) {
    const aad = Buffer.from(body.additionalAuthenticatedData ?? '', 'base64');
    const plaintext = Buffer.from(body.plaintext, 'base64');
    if (plaintext.length > 4300 || aad.length > 8192) throw new Refusal(400, 'ValidationException');
    const metadata = this.metadata ?? Buffer.alloc(0);
    const iv = randomBytes(this.ivBytes ?? 12);
    const cipher = createCipheriv('aes-256-gcm', key.material, iv);
    cipher.setAAD(aadOf(aad, metadata));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const tag = cipher.getAuthTag();
    const integrity = createHash('sha256')
      .update(Buffer.concat([aad, metadata, iv, ciphertext, tag])).digest();
    return {
      ciphertext: ciphertext.toString('base64'),
      ...(metadata.length > 0 && { ciphertextMetadata: metadata.toString('base64') }),
      initializationVector: iv.toString('base64'),
      authenticationTag: tag.toString('base64'),
      ...(body.ciphertextDataIntegrityValueAlgorithm === 'SHA_256'
        && { ciphertextDataIntegrityValue: integrity.toString('base64') }),
    };
  }

  decrypt(key, body) {
    const binary = (name) => Buffer.from(body[name] ?? '', 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key.material, binary('initializationVector'));
    decipher.setAAD(aadOf(binary('additionalAuthenticatedData'), binary('ciphertextMetadata')));
    decipher.setAuthTag(binary('authenticationTag'));
    try {
      const plaintext = Buffer.concat([decipher.update(binary('ciphertext')), decipher.final()]);
      return { plaintext: plaintext.toString('base64') };
    } catch {
      throw new Refusal(400, 'InvalidCiphertextException');
    }
  }

  // authenticate signs the request again and compares: for our credential, service and host.
  async authenticate(request, body) {
    const refuse = () => { throw new Refusal(401, 'AuthenticationFailedException'); };
    const { authorization = '', host } = request.headers;
    const date = request.headers['x-amz-date'] ?? '';
    const scope = /^AWS4-HMAC-SHA256 Credential=([A-Z2-7]+)\/\d{8}\/([a-z0-9-]+)\/kms-xks-proxy\/aws4_request, SignedHeaders=host;x-amz-date, /
      .exec(authorization);
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
    if (!scope || !year || host !== this.hostname) refuse();
    const signingDate = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
    if (Math.abs(signingDate - Date.now()) > 5 * 60 * 1000) refuse();
    const signer = new SignatureV4({
      credentials: { accessKeyId: this.credential.AccessKeyId,
        secretAccessKey: this.credential.RawSecretAccessKey },
      region: scope[2], service: 'kms-xks-proxy', sha256: Sha256, applyChecksum: false });
    const again = await signer.sign({ method: 'POST', protocol: 'https:', hostname: host,
      path: request.url, query: {}, headers: { host }, body }, { signingDate });
    if (again.headers.authorization !== authorization) refuse();
  }
}
