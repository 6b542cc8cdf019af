// The tabs that mostly tell: cryptographic configuration, public key, regionality.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { call, type ApiError } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, downloadText, ErrorAlert, originText } from '../parts';
import { useShell } from '../shell-context';
import type { KeyMetadata } from './metadata';

export function CryptographyTab({ metadata }: { metadata: KeyMetadata }) {
  const algorithms = metadata.EncryptionAlgorithms ?? metadata.SigningAlgorithms ?? metadata.MacAlgorithms ?? metadata.KeyAgreementAlgorithms ?? [];
  return (
    <Container header={<Header variant="h2">Cryptographic configuration</Header>}>
      <KeyValuePairs
        columns={2}
            minColumnWidth={175}
        items={[
          { label: 'Key type', value: metadata.KeySpec === 'SYMMETRIC_DEFAULT' || metadata.KeySpec.startsWith('HMAC_') ? 'Symmetric' : 'Asymmetric' },
          { label: 'Key spec', value: metadata.KeySpec },
          { label: 'Key usage', value: metadata.KeyUsage },
          { label: 'Origin', value: originText[metadata.Origin] ?? metadata.Origin },
          { label: 'Algorithms', value: algorithms.join(', ') || '-' },
        ]}
      />
    </Container>
  );
}

function toPem(base64: string) {
  return `-----BEGIN PUBLIC KEY-----\n${base64.match(/.{1,64}/g)!.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

export function PublicKeyTab({ metadata }: { metadata: KeyMetadata }) {
  const key = useLoaded(async () => toPem((await call<{ PublicKey: string }>('GetPublicKey', { KeyId: metadata.KeyId })).PublicKey), [metadata.KeyId]);
  if (key.error) return <ErrorAlert error={key.error} onRetry={() => void key.reload()} title="The public key could not be read" />;
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={<Button iconName="download" disabled={!key.data} onClick={() => downloadText(`${metadata.KeyId}.pem`, 'application/x-pem-file', key.data!)}>Download</Button>}
        >
          Public key
        </Header>
      }
    >
      <Box variant="code"><pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{key.data ?? ''}</pre></Box>
    </Container>
  );
}

export function RegionalityTab({ metadata, may, onChanged }: { metadata: KeyMetadata; may: May; onChanged: () => void }) {
  const { notify } = useShell();
  const [region, setRegion] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const all = metadata.MultiRegionConfiguration!;
  const primary = all.MultiRegionKeyType === 'PRIMARY';
  const reason = (primary ? undefined : `Replicas are made from the primary key in ${all.PrimaryKey.Region}.`) ?? may('ReplicateKey');

  async function replicate() {
    setBusy(true);
    setError(undefined);
    try {
      await call('ReplicateKey', { KeyId: metadata.KeyId, ReplicaRegion: region.trim() });
      notify('success', `The key is replicated to ${region.trim()}.`);
      setRegion('');
      onChanged();
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy(false);
    }
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="The replica was not made" />}
      <Table
        header={<Header variant="h2">Related multi-Region keys</Header>}
        items={[{ type: 'Primary', ...all.PrimaryKey }, ...all.ReplicaKeys.map((each) => ({ type: 'Replica', ...each }))]}
        columnDefinitions={[
          { id: 'type', header: 'Type', cell: (each) => each.type },
          { id: 'region', header: 'Region', cell: (each) => each.Region, isRowHeader: true },
          { id: 'arn', header: 'ARN', cell: (each) => <span style={{ overflowWrap: 'anywhere' }}>{each.Arn}</span> },
        ]}
      />
      <Container header={<Header variant="h2">Create a replica</Header>}>
        <FormField label="Region" secondaryControl={<ActionButton reason={reason} loading={busy} disabled={!region.trim()} onClick={() => void replicate()}>Create replica</ActionButton>}>
          <Input value={region} onChange={({ detail }) => setRegion(detail.value)} placeholder="eu-west-1" />
        </FormField>
      </Container>
    </SpaceBetween>
  );
}
