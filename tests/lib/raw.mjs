// call: a signed request for operations and members that the SDK of the suites does not have, or
// refuses to send.
import { createRequire } from 'node:module';
import { SignatureV4 } from '@smithy/signature-v4';
import { saw } from './seen.mjs';
import { account, credentials as admin, region as home } from './server.mjs';

const { Sha256 } = createRequire(import.meta.url)('@aws-crypto/sha256-js');

// raw posts a body as it is and returns the reply: { status, body }.
export async function raw(server, operation, body, { credentials = admin, region = home } = {}) {
  const url = new URL(server.url);
  const signer = new SignatureV4({ service: 'kms', region, credentials, sha256: Sha256 });
  const signed = await signer.sign({ method: 'POST', protocol: url.protocol, hostname: url.hostname,
    port: Number(url.port), path: '/', query: {}, headers: { host: url.host,
      'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` },
    body });
  const reply = await fetch(server.url, { method: 'POST', headers: signed.headers, body });
  const text = await reply.text();
  return { status: reply.status, body: text ? JSON.parse(text) : {} };
}

// call sends members as JSON; it throws what the SDK would: name, message.
export async function call(server, operation, input, options) {
  const { status, body } = await raw(server, operation, JSON.stringify(input), options);
  saw(operation, input, (options?.credentials ?? admin).accessKeyId, account,
    status === 200 ? 'success' : body.__type);
  if (status === 200) return body;
  throw Object.assign(new Error(body.message ?? body.Message ?? 'UnknownError'), { name: body.__type });
}
