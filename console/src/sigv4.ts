// Signs the sign-in request as AWS clients sign theirs (Signature Version 4), so that the secret
// access key never leaves this page.
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const service = 'keyturn-console';
const encoder = new TextEncoder();

const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

const sha256 = async (text: string) => hex(await crypto.subtle.digest('SHA-256', encoder.encode(text)));

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, encoder.encode(text));
}

export interface SignedRequest {
  headers: Record<string, string>;
  body: string;
}

// sign makes headers and body of a POST to path of this server. The nonce makes two signatures of
// one second differ: each is taken once.
export async function sign(path: string, region: string, credentials: Credentials, now = new Date()): Promise<SignedRequest> {
  const body = JSON.stringify({ Nonce: crypto.randomUUID() });
  const date = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = date.slice(0, 8);
  const signed: Record<string, string> = { 'content-type': 'application/json', host: location.host, 'x-amz-date': date };
  if (credentials.sessionToken) signed['x-amz-security-token'] = credentials.sessionToken;
  const names = Object.keys(signed).sort();
  const canonical = [
    'POST',
    path,
    '',
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    await sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, await sha256(canonical)].join('\n');
  let key: BufferSource = encoder.encode(`AWS4${credentials.secretAccessKey}`);
  for (const part of [day, region, service, 'aws4_request']) key = await hmac(key, part);
  const signature = hex(await hmac(key, text));
  const { host: _host, ...headers } = signed;
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { headers, body };
}
