// The server's side of the console: sessions, calls of the API, and the views of many keys.
import { sign, type Credentials } from './sigv4';

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly requestId: string,
  ) {
    super(message || code);
  }
  get signedOut() {
    return this.code === 'ExpiredTokenException' || this.code === 'UnrecognizedClientException';
  }
}

export interface Session {
  CsrfToken: string;
  Arn: string;
  Account: string;
  AccessKeyId: string;
  Region: string;
  Regions: string[];
  Expires: number;
  IdleSeconds: number;
  ConfirmedUntil: number;
}

let csrf = '';
let region = '';
let onSignedOut: () => void = () => {};
export const setRegion = (name: string) => (region = name);
export const setSignedOut = (handler: () => void) => (onSignedOut = handler);

async function send<T>(method: string, path: string, options: { headers?: Record<string, string>; body?: string } = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/console/api/${path}`, {
      method,
      headers: {
        ...(csrf && { 'x-keyturn-csrf': csrf }),
        ...(region && { 'x-keyturn-region': region }),
        ...options.headers,
      },
      ...(options.body !== undefined && { body: options.body }),
      cache: 'no-store',
    });
  } catch {
    throw new ApiError('NetworkError', 'The server could not be reached.', '');
  }
  const requestId = response.headers.get('x-amzn-requestid') ?? '';
  const text = await response.text();
  let json: any = {};
  try {
    json = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError('MalformedAnswer', `The server answered ${response.status}.`, requestId);
  }
  if (!response.ok) {
    const code = String(json.__type ?? response.status).split('#').pop()!;
    const error = new ApiError(code, json.message ?? json.Message ?? '', requestId);
    if (error.signedOut && csrf) onSignedOut();
    throw error;
  }
  return json as T;
}

function remember(session: Session): Session {
  csrf = session.CsrfToken;
  return session;
}

export async function signIn(credentials: Credentials, inRegion: string): Promise<Session> {
  csrf = '';
  return remember(await send('POST', 'sign-in', await sign('/console/api/sign-in', inRegion, credentials)));
}

// confirm shows the secret again, for what nobody else is to do in an open session.
export async function confirm(credentials: Credentials, inRegion: string): Promise<Session> {
  return remember(await send('POST', 'confirm', await sign('/console/api/confirm', inRegion, credentials)));
}

export const loadSession = async () => remember(await send<Session>('GET', 'session'));

export async function signOut(everywhere: boolean) {
  await send('POST', everywhere ? 'sign-out-everywhere' : 'sign-out', { body: '{}' });
  csrf = '';
}

// call runs an operation of the API. A justification goes into the trail with it.
export const call = <T = any>(operation: string, input: object = {}, justification = '') =>
  send<T>('POST', `call/${operation}`, {
    headers: {
      'content-type': 'application/json',
      ...(justification && { 'x-keyturn-justification': encodeURIComponent(justification) }),
    },
    body: JSON.stringify(input),
  });

export const get = <T>(path: string) => send<T>('GET', path);
export const post = <T>(path: string, input: object = {}) =>
  send<T>('POST', path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) });
// watch asks as a page does by itself: it does not count as use of the session.
export const watch = <T>(path: string) => send<T>('GET', path, { headers: { 'x-keyturn-background': '1' } });

export interface Tag {
  TagKey: string;
  TagValue: string;
}

export interface Key {
  KeyId: string;
  Arn: string;
  Region: string;
  Aliases: string[];
  KeyManager: 'AWS' | 'CUSTOMER';
  KeySpec: string;
  KeyUsage: string;
  Origin: string;
  KeyState: string;
  Description: string;
  MultiRegion: boolean;
  MultiRegionKeyType?: string;
  CreationDate?: number;
  DeletionDate?: number;
  Rotation?: { Enabled: boolean; PeriodInDays?: number; NextRotationDate?: number };
  LastRotationDate?: number;
  Tags?: Tag[];
  CodeOwner?: string;
  Rotations?: { RotationDate: number; RotationType: string }[];
  Verdict: string;
  Reason: string;
  Remediable: boolean;
  Denied?: string[];
}

export interface Setting {
  Enabled: boolean;
  PeriodInDays?: number;
}

// A job of the server: one setting for many keys.
export interface Job {
  JobId: string;
  Created: number;
  State: 'QUEUED' | 'RUNNING' | 'WAITING' | 'CANCELLED' | 'FINISHED';
  Reason?: string;
  Wanted: Setting;
  Phase: 'APPLY' | 'BACKOUT';
  Owner: string;
  Mine: boolean;
  Steps: { Phase: 'APPLY' | 'BACKOUT'; By: string; Justification?: string; Asked: number }[];
  Counts: { Keys: number; Done: number; Unchanged: number; Refused: number; Failed: number; Pending: number; Verified: number };
  Lines?: JobLine[];
}

export interface JobLine {
  Arn: string;
  Region: string;
  KeyId: string;
  Aliases: string[];
  Before: Setting;
  Wanted: Setting;
  Outcome: 'DONE' | 'UNCHANGED' | 'REFUSED' | 'FAILED' | 'PENDING';
  Detail?: string;
  RequestId?: string;
  Seen?: boolean;
  SeenDetail?: string;
}

export interface JobPlan {
  Changes: { Arn: string; Region: string; KeyId: string; Aliases: string[]; Before: Setting; Wanted: Setting }[];
  LeftAlone: { Arn: string; Reason: string }[];
}

export const isOpen = (job: Job) => job.State === 'QUEUED' || job.State === 'RUNNING' || job.State === 'WAITING';
export const settingText = (setting: Setting) =>
  setting.Enabled ? `On, every ${setting.PeriodInDays ?? '?'} days` : 'Off';

export interface KeyList {
  Now: number;
  HiddenKeys: number;
  Totals: Record<string, number>;
  CompliancePercent?: number;
  Keys: Key[];
}

export type Permissions = Record<string, { Allowed: boolean; Reason?: string }>;
