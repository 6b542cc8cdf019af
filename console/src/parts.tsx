// Small parts that every page uses.
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button, { type ButtonProps } from '@cloudscape-design/components/button';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { ReactNode } from 'react';
import type { ApiError, Key } from './api';
import { formatDate, formatDateTime, utc } from './hooks';

export function ErrorAlert({ error, onRetry, title }: { error: ApiError; onRetry?: () => void; title?: string }) {
  return (
    <Alert
      type="error"
      header={title ?? error.code}
      action={onRetry && <Button onClick={onRetry}>Retry</Button>}
    >
      {error.message}
      {error.requestId && <Box variant="small" display="block">Request ID: {error.requestId}</Box>}
    </Alert>
  );
}

// ActionButton is disabled with the reason when the caller may not, or the key cannot.
export function ActionButton({ reason, ...props }: ButtonProps & { reason?: string | undefined }) {
  return <Button {...props} disabled={props.disabled || reason !== undefined} {...(reason && { disabledReason: reason })} />;
}

export function Moment({ seconds, withTime }: { seconds?: number | undefined; withTime?: boolean }) {
  if (seconds === undefined) return <>-</>;
  return (
    <time dateTime={new Date(seconds * 1000).toISOString()} title={utc(seconds)}>
      {withTime ? formatDateTime(seconds) : formatDate(seconds)}
    </time>
  );
}

export function KeyStatus({ state }: { state: string }) {
  const type = state === 'Enabled' ? 'success' : state === 'Disabled' ? 'stopped' : state === 'PendingDeletion' ? 'warning' : 'pending';
  const text = state.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return <StatusIndicator type={type} wrapText={false}>{text}</StatusIndicator>;
}

const verdicts: Record<string, { type: 'success' | 'error' | 'warning' | 'info' | 'stopped'; text: string }> = {
  PASS: { type: 'success', text: 'Compliant' },
  FAIL: { type: 'error', text: 'Rotation off' },
  FAIL_PERIOD: { type: 'error', text: 'Period too long' },
  NOT_APPLICABLE: { type: 'stopped', text: 'Not applicable' },
  SKIPPED: { type: 'stopped', text: 'Skipped' },
  UNKNOWN: { type: 'warning', text: 'Unknown' },
  EXCEPTED: { type: 'info', text: 'Excepted' },
};
export const verdictText = (verdict: string) => verdicts[verdict]?.text ?? verdict;
export function VerdictMark({ verdict }: { verdict: string }) {
  return <StatusIndicator type={verdicts[verdict]?.type ?? 'warning'} wrapText={false}>{verdictText(verdict)}</StatusIndicator>;
}

export const keyName = (key: Key) => key.Aliases[0]?.slice('alias/'.length) ?? key.KeyId;
export const keySpecText = (key: Pick<Key, 'KeySpec'>) => key.KeySpec;
export const regionality = (key: Pick<Key, 'MultiRegion' | 'MultiRegionKeyType'>) =>
  key.MultiRegion ? (key.MultiRegionKeyType === 'REPLICA' ? 'Multi-Region (replica)' : 'Multi-Region (primary)') : 'Single Region';
export const originText: Record<string, string> = {
  AWS_KMS: 'KMS',
  EXTERNAL: 'External (imported key material)',
  AWS_CLOUDHSM: 'CloudHSM key store',
  EXTERNAL_KEY_STORE: 'External key store',
};
// rotationText: what the list's column says.
export function rotationText(key: Key): string {
  if (key.Rotation) return key.Rotation.Enabled ? 'Enabled' : 'Disabled';
  return key.Verdict === 'UNKNOWN' ? 'Unknown' : 'Not available';
}

export function downloadText(name: string, type: string, text: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export const Labelled = ({ label, children }: { label: string; children: ReactNode }) => (
  <div>
    <Box variant="awsui-key-label">{label}</Box>
    <div>{children}</div>
  </div>
);
