// What pages share: loading, permissions, dates.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, get, type Permissions } from './api';

export interface Loaded<T> {
  data?: T;
  error?: ApiError;
  loading: boolean;
  reload: () => Promise<void>;
}

// useLoaded runs load now, on reload, and for another version; until the new answer is there, the old
// one stays. Other dependencies forget it. An answer that comes too late is dropped.
export function useLoaded<T>(load: () => Promise<T>, dependencies: unknown[], version = 0): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: ApiError; loading: boolean }>({ loading: true });
  const turn = useRef(0);
  const run = useCallback(async () => {
    const mine = ++turn.current;
    setState((before) => ({ ...before, loading: true }));
    try {
      const data = await load();
      if (mine === turn.current) setState({ data, loading: false });
    } catch (error) {
      if (mine !== turn.current) return;
      const told = error instanceof ApiError ? error : new ApiError('Error', String(error), '');
      setState({ error: told, loading: false });
    }
  }, dependencies);
  useEffect(() => {
    setState({ loading: true });
    void run();
    return () => void ++turn.current;
  }, [run]);
  const loaded = useRef(version);
  useEffect(() => {
    if (loaded.current === version) return;
    loaded.current = version;
    void run();
  }, [version]);
  return { ...state, reload: run };
}

// may tells why an operation is not the caller's; nothing when it is, or as long as it is not known:
// the server decides anyway.
export type May = (operation: string) => string | undefined;

// version: another one asks again.
export function usePermissions(keyId: string, region: string, version = 0): May {
  const { data } = useLoaded(
    () => get<Permissions>(keyId ? `permissions?key-id=${encodeURIComponent(keyId)}` : 'permissions'),
    [keyId, region],
    version,
  );
  return (operation) => {
    const decision = data?.[operation];
    return decision && !decision.Allowed ? (decision.Reason ?? 'You may not do this.') : undefined;
  };
}

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
export const formatDate = (seconds?: number) => (seconds === undefined ? '-' : date.format(seconds * 1000));
export const formatDateTime = (seconds?: number) => (seconds === undefined ? '-' : dateTime.format(seconds * 1000));
export const utc = (seconds: number) => new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', ' UTC').replace('T', ' ');
