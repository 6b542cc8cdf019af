// A console session over plain HTTP, as the pages hold one, for tests of what is behind them.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { credentials, region } from './server.mjs';
import { until } from './until.mjs';

// request sends one HTTP request; json is the answer's body when it is JSON.
export function request(url, path, { method = 'GET', headers = {}, body = '' } = {}) {
  return new Promise((resolve, reject) => {
    const call = http.request(new URL(path, url), { method, headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const json = answer.headers['content-type']?.includes('json') && bytes.length > 0
          ? JSON.parse(bytes) : undefined;
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, json });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

// signed returns headers and body of a POST to path as the sign-in page signs it. The nonce makes
// two signatures of one second differ: each signs in once.
export async function signed(url, path, { keys = credentials, service = 'keyturn-console', date,
  scope = region } = {}) {
  const { protocol, host, hostname, port } = new URL(url);
  const signer = new SignatureV4({ credentials: keys, region: scope, service, sha256: Sha256,
    applyChecksum: false });
  const body = JSON.stringify({ Nonce: randomUUID() });
  const { headers } = await signer.sign({ method: 'POST', protocol, hostname, port: Number(port),
    path, query: {}, body, headers: { host, 'content-type': 'application/json' } },
  { signingDate: date });
  return { headers: { ...headers, origin: url }, body };
}

export const signIn = async (url, options) => request(url, '/console/api/sign-in',
  { method: 'POST', ...await signed(url, '/console/api/sign-in', options) });

export class ConsoleSession {
  static async open(url, options) {
    const answer = await signIn(url, options);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.bytes}`);
    const session = new ConsoleSession();
    session.url = url;
    session.cookie = answer.headers['set-cookie'][0].split(';')[0];
    session.csrf = answer.json.CsrfToken;
    session.keys = options?.keys ?? credentials;
    return session;
  }

  // send makes a request with what a page of the console sends; change may spoil the headers.
  async send(method, path, { body = method === 'POST' ? '{}' : '', headers = {},
    change = () => {} } = {}) {
    const all = { cookie: this.cookie, 'x-keyturn-csrf': this.csrf,
      'sec-fetch-site': 'same-origin', ...headers };
    if (method === 'POST') Object.assign(all, { origin: this.url, 'content-type': 'application/json' });
    change(all);
    return request(this.url, `/console/api/${path}`, { method, headers: all, body });
  }

  call = (operation, input = {}, options = {}) =>
    this.send('POST', `call/${operation}`, { body: JSON.stringify(input), ...options });

  // makeKeys makes many keys, some at a time, and returns their ARNs.
  async makeKeys(count, input = {}) {
    const arns = [];
    while (arns.length < count) {
      const some = await Promise.all(Array.from({ length: Math.min(100, count - arns.length) },
        () => this.call('CreateKey', input)));
      arns.push(...some.map((answer) => answer.json.KeyMetadata.Arn));
    }
    return arns;
  }

  // job returns a job as it is now; jobOnce waits until it is as wanted.
  job = async (id) => (await this.send('GET', `jobs/${id}`)).json;
  jobOnce = (id, wanted) => until(async () => (await this.send('GET', `jobs/${id}?lines=false`)).json,
    wanted, { seconds: 90, every: 30 });

  // records returns all of the trail that a query finds.
  async records(query) {
    const all = [];
    for (let before = ''; before !== undefined;) {
      const page = (await this.send('GET', `trail?limit=500&${query}${before && `&before=${before}`}`)).json;
      all.push(...page.Records);
      before = page.Before;
    }
    return all;
  }

  async confirm(options) {
    return this.send('POST', 'confirm',
      await signed(this.url, '/console/api/confirm', { keys: this.keys, ...options }));
  }
}
