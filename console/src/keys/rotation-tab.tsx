// Key rotation: the switch, its period, rotation on demand, and the key's materials.
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Steps from '@cloudscape-design/components/steps';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useEffect, useRef, useState } from 'react';
import { ApiError, call } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert, Moment } from '../parts';
import { useShell } from '../shell-context';
import { Confirm } from './confirm';
import type { KeyMetadata } from './metadata';

interface Status {
  KeyRotationEnabled: boolean;
  RotationPeriodInDays?: number;
  NextRotationDate?: number;
}

export interface Material {
  KeyMaterialId?: string;
  KeyMaterialState?: string;
  RotationDate?: number;
  RotationType?: string;
  ValidTo?: number;
}

const onDemandMax = 25;
const periodDefault = 365;
const timelineMax = 12;

async function load(keyId: string) {
  const status = await call<Status>('GetKeyRotationStatus', { KeyId: keyId });
  const materials: Material[] = [];
  let problem: ApiError | undefined;
  try {
    let marker: string | undefined;
    do {
      const page = await call('ListKeyRotations', {
        KeyId: keyId,
        IncludeKeyMaterial: 'ALL_KEY_MATERIAL',
        ...(marker && { Marker: marker }),
      });
      materials.push(...page.Rotations);
      marker = page.Truncated ? page.NextMarker : undefined;
    } while (marker);
  } catch (error) {
    problem = error as ApiError;
  }
  return { status, materials: materials.reverse(), problem };
}

// Timeline: what has happened to the key material, and what comes next; the latest first.
function Timeline({ metadata, status, materials }: { metadata: KeyMetadata; status: Status | undefined; materials: Material[] }) {
  const past = materials.filter((each) => each.RotationDate !== undefined).sort((a, b) => b.RotationDate! - a.RotationDate!);
  const shown = past.slice(0, timelineMax);
  return (
    <Container header={<Header variant="h2">Timeline</Header>}>
      <Steps
        ariaLabel="Timeline"
        steps={[
          ...(status?.NextRotationDate ? [{ status: 'pending' as const, header: 'Next automatic rotation', details: <Moment seconds={status.NextRotationDate} withTime /> }] : []),
          ...shown.map((each) => ({ status: 'success' as const, header: each.RotationType === 'ON_DEMAND' ? 'Rotated on demand' : 'Rotated automatically', details: <Moment seconds={each.RotationDate} withTime /> })),
          ...(past.length > shown.length ? [{ status: 'info' as const, header: `${past.length - shown.length} earlier rotations` }] : []),
          { status: 'success' as const, header: 'Key created', details: <Moment seconds={metadata.CreationDate} withTime /> },
        ]}
      />
    </Container>
  );
}

export function RotationTab({ metadata, may, version, onChanged }: { metadata: KeyMetadata; may: May; version: number; onChanged: () => void }) {
  const { notify } = useShell();
  const keyId = metadata.KeyId;
  const rotation = useLoaded(() => load(keyId), [keyId], version);
  const [checked, setChecked] = useState(false);
  const [period, setPeriod] = useState(String(periodDefault));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [asking, setAsking] = useState<'' | 'off' | 'now'>('');
  const [justification, setJustification] = useState('');
  const status = rotation.data?.status;
  const days = Number(period);
  const changedFrom = (was: Status) => checked !== was.KeyRotationEnabled || (checked && days !== was.RotationPeriodInDays);
  const shown = useRef<Status>(undefined);
  useEffect(() => {
    if (!status) return;
    const was = shown.current;
    shown.current = status;
    // What is entered and not saved outlives a refresh.
    if (was && changedFrom(was)) return;
    setChecked(status.KeyRotationEnabled);
    setPeriod(String(status.RotationPeriodInDays ?? periodDefault));
  }, [status]);
  if (rotation.error) return <ErrorAlert error={rotation.error} onRetry={() => void rotation.reload()} title="The rotation status could not be read" />;

  const replica = metadata.MultiRegionConfiguration?.MultiRegionKeyType === 'REPLICA';
  const imported = metadata.Origin === 'EXTERNAL';
  const unavailable = replica
    ? `This is a replica: it has the rotation setting of its primary key in ${metadata.MultiRegionConfiguration!.PrimaryKey.Region}.`
    : imported
      ? 'Imported key material does not rotate automatically. Import new material and rotate on demand.'
      : undefined;
  const state = metadata.KeyState === 'Enabled' ? undefined : `The key is ${metadata.KeyState}.`;
  const wrongPeriod = checked && (!/^\d+$/.test(period) || days < 90 || days > 2560) ? 'Enter a number of days from 90 to 2560.' : '';
  const turnedOff = status?.KeyRotationEnabled === true && !checked;
  const changed = status !== undefined && changedFrom(status);
  const reason = unavailable ?? state ?? may(checked ? 'EnableKeyRotation' : 'DisableKeyRotation');
  const onDemandDone = rotation.data?.materials.filter((each) => each.RotationType === 'ON_DEMAND').length ?? 0;
  const onDemandReason = (replica && unavailable) || state || may('RotateKeyOnDemand') || (onDemandDone >= onDemandMax ? `All ${onDemandMax} on-demand rotations are used.` : undefined);

  async function run(action: () => Promise<unknown>, done: string) {
    setBusy(true);
    setError(undefined);
    try {
      await action();
      notify('success', done);
      shown.current = undefined;
      await rotation.reload();
      onChanged();
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy(false);
      setAsking('');
      setJustification('');
    }
  }

  const save = () => {
    if (wrongPeriod) return;
    if (turnedOff) {
      setAsking('off');
      return;
    }
    void run(
      () => call('EnableKeyRotation', { KeyId: keyId, RotationPeriodInDays: days }),
      `This key rotates automatically every ${days} days.`,
    );
  };

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="The change was not made" />}
      {unavailable && <Alert type="info">{unavailable}</Alert>}
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <ActionButton variant="primary" reason={reason} disabled={!changed} loading={busy && asking === ''} onClick={save}>
                Save
              </ActionButton>
            }
          >
            Automatic key rotation
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Checkbox
            checked={checked}
            onChange={({ detail }) => setChecked(detail.checked)}
            disabled={rotation.loading || unavailable !== undefined}
            description={
              checked
                ? `New key material every ${wrongPeriod ? '...' : days} days. All old material is kept, so everything encrypted before still decrypts.`
                : 'The key material stays the same until you rotate it on demand.'
            }
          >
            Automatically rotate this KMS key every year
          </Checkbox>
          {checked && !unavailable && (
            <FormField label="Rotation period (in days)" constraintText="From 90 to 2560; a year is 365." errorText={wrongPeriod}>
              <Input value={period} onChange={({ detail }) => setPeriod(detail.value)} inputMode="numeric" disabled={rotation.loading} />
            </FormField>
          )}
          <KeyValuePairs
            columns={3}
            minColumnWidth={175}
            items={[
              { label: 'Status', value: status ? (status.KeyRotationEnabled ? 'Enabled' : 'Disabled') : '-' },
              { label: 'Rotation period', value: status?.RotationPeriodInDays ? `${status.RotationPeriodInDays} days` : '-' },
              { label: 'Next rotation', value: <Moment seconds={status?.NextRotationDate} /> },
            ]}
          />
        </SpaceBetween>
      </Container>
      <Container
        header={
          <Header
            variant="h2"
            description={`${Math.max(0, onDemandMax - onDemandDone)} of ${onDemandMax} on-demand rotations remain.`}
            actions={<ActionButton reason={onDemandReason} disabled={rotation.loading} onClick={() => setAsking('now')}>Rotate now</ActionButton>}
          >
            On-demand rotation
          </Header>
        }
      >
        Rotating on demand does not change the schedule of automatic rotation.
      </Container>
      <Timeline metadata={metadata} status={status} materials={rotation.data?.materials ?? []} />
      <Table
        header={<Header variant="h2" counter={rotation.data ? `(${rotation.data.materials.length})` : ''}>Key materials</Header>}
        loading={rotation.loading}
        loadingText="Loading key materials"
        wrapLines
        items={rotation.data?.materials ?? []}
        columnDefinitions={[
          { id: 'id', header: 'Key material ID', isRowHeader: true, minWidth: 220, cell: (each) => <code style={{ overflowWrap: 'anywhere' }}>{each.KeyMaterialId ?? '-'}</code> },
          { id: 'date', header: 'Date', minWidth: 130, cell: (each) => (each.RotationDate ? <Moment seconds={each.RotationDate} withTime /> : <Moment seconds={metadata.CreationDate} withTime />) },
          { id: 'type', header: 'Type', minWidth: 110, cell: (each) => (each.RotationType === 'ON_DEMAND' ? 'On demand' : each.RotationType === 'AUTOMATIC' ? 'Automatic' : 'First material') },
          { id: 'state', header: 'State', minWidth: 110, cell: (each) => each.KeyMaterialState?.replaceAll('_', ' ').toLowerCase() ?? '-' },
        ]}
        empty={rotation.data?.problem ? <ErrorAlert error={rotation.data.problem} onRetry={() => void rotation.reload()} /> : <Box textAlign="center">No key materials</Box>}
      />
      <Modal
        visible={asking === 'off'}
        onDismiss={() => setAsking('')}
        header="Turn off automatic rotation"
        footer={
          <Box float="right">
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" onClick={() => setAsking('')}>Cancel</Button>
              <Button
                variant="primary"
                disabled={!justification.trim()}
                loading={busy}
                onClick={() => void run(() => call('DisableKeyRotation', { KeyId: keyId }, justification.trim()), 'Automatic rotation is off for this key.')}
              >
                Turn off
              </Button>
            </SpaceBetween>
          </Box>
        }
      >
        <SpaceBetween size="m">
          <span>The key will not pass the rotation control any longer. What you write is kept in the trail.</span>
          <FormField label="Justification">
            <Textarea value={justification} onChange={({ detail }) => setJustification(detail.value)} rows={3} />
          </FormField>
        </SpaceBetween>
      </Modal>
      {asking === 'now' && (
        <Confirm
          header="Rotate now"
          action="Rotate key"
          onDismiss={() => setAsking('')}
          onConfirmed={() => run(() => call('RotateKeyOnDemand', { KeyId: keyId }), 'The key is rotated.')}
        >
          The key gets new material at once. All old material is kept, so everything encrypted before still decrypts. This cannot be undone.
        </Confirm>
      )}
    </SpaceBetween>
  );
}
