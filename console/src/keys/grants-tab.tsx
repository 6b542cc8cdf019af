// Grants of a key.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Multiselect from '@cloudscape-design/components/multiselect';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { Fragment, useState } from 'react';
import { call, type ApiError } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert, Moment } from '../parts';
import { Confirm } from './confirm';
import { hasPublicKey, isSymmetric, type KeyMetadata } from './metadata';

interface Grant {
  GrantId: string;
  Name?: string;
  GranteePrincipal: string;
  RetiringPrincipal?: string;
  Operations: string[];
  Constraints?: Record<string, Record<string, string>>;
  CreationDate: number;
}

// grantText tells one grant from all others: a name is optional, and may be that of several.
const grantText = (grant: Grant) => (grant.Name ? `${grant.Name} (${grant.GrantId})` : grant.GrantId);
const pairsText = (pairs: Record<string, string>) => Object.entries(pairs).map(([key, value]) => `${key} = ${value}`).join(', ');
const anywhere = { overflowWrap: 'anywhere' } as const;

function Constraints({ constraints = {} }: { constraints: Grant['Constraints'] }) {
  const kinds = Object.entries(constraints);
  if (kinds.length === 0) return <>-</>;
  // A narrow column breaks the kind between its words.
  const words = (kind: string) => kind.split(/(?=[A-Z])/).map((word) => <Fragment key={word}><wbr />{word}</Fragment>);
  return kinds.map(([kind, pairs]) => <div key={kind} style={anywhere}>{words(kind)}: {pairsText(pairs)}</div>);
}

// operationsFor: what a grant on such a key can allow.
function operationsFor(key: KeyMetadata): string[] {
  const common = ['CreateGrant', 'RetireGrant', 'DescribeKey'];
  if (isSymmetric(key)) {
    return ['Decrypt', 'Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext', 'ReEncryptFrom', 'ReEncryptTo', ...common];
  }
  const used = { SIGN_VERIFY: ['Sign', 'Verify'], GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'], KEY_AGREEMENT: ['DeriveSharedSecret'] }[key.KeyUsage] ?? ['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo'];
  return [...used, ...(hasPublicKey(key) ? ['GetPublicKey'] : []), ...common];
}

async function load(keyId: string) {
  const grants: Grant[] = [];
  let marker: string | undefined;
  do {
    const page = await call('ListGrants', { KeyId: keyId, ...(marker && { Marker: marker }) });
    grants.push(...page.Grants);
    marker = page.Truncated ? page.NextMarker : undefined;
  } while (marker);
  return grants;
}

export function GrantsTab({ metadata, may, version }: { metadata: KeyMetadata; may: May; version: number }) {
  const grants = useLoaded(() => load(metadata.KeyId), [metadata.KeyId], version);
  const [adding, setAdding] = useState(false);
  const [grantee, setGrantee] = useState('');
  const [retiring, setRetiring] = useState('');
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [revoking, setRevoking] = useState<Grant>();
  const [error, setError] = useState<ApiError>();

  async function run(operation: string, input: object) {
    setError(undefined);
    try {
      await call(operation, { KeyId: metadata.KeyId, ...input });
      setGrantee('');
      setRetiring('');
      setName('');
      setChosen([]);
    } catch (problem) {
      setError(problem as ApiError);
    }
    setAdding(false);
    await grants.reload();
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="The grants were not changed" />}
      <Table
        header={
          <Header variant="h2" counter={grants.data ? `(${grants.data.length})` : ''} actions={<ActionButton reason={may('CreateGrant')} onClick={() => setAdding(true)}>Create grant</ActionButton>}>
            Grants
          </Header>
        }
        loading={grants.loading}
        loadingText="Loading grants"
        items={grants.data ?? []}
        wrapLines
        columnDefinitions={[
          { id: 'grant', header: 'Grant', minWidth: 140, cell: (grant) => <>{grant.Name && <div style={anywhere}>{grant.Name}</div>}<Box variant="small"><span style={anywhere}>{grant.GrantId}</span></Box></>, isRowHeader: true },
          { id: 'grantee', header: 'Grantee principal', minWidth: 150, cell: (grant) => <span style={anywhere}>{grant.GranteePrincipal}</span> },
          { id: 'operations', header: 'Operations', minWidth: 120, cell: (grant) => <span style={anywhere}>{grant.Operations.join(', ')}</span> },
          { id: 'constraints', header: 'Constraints', minWidth: 150, cell: (grant) => <Constraints constraints={grant.Constraints} /> },
          { id: 'retiring', header: 'Retiring principal', minWidth: 120, cell: (grant) => <span style={anywhere}>{grant.RetiringPrincipal ?? '-'}</span> },
          { id: 'created', header: 'Creation date', minWidth: 110, cell: (grant) => <Moment seconds={grant.CreationDate} withTime /> },
          {
            id: 'revoke',
            header: 'Actions',
            cell: (grant) => (
              <ActionButton variant="inline-link" ariaLabel={`Revoke grant ${grantText(grant)}`} reason={may('RevokeGrant')} onClick={() => setRevoking(grant)}>
                Revoke
              </ActionButton>
            ),
          },
        ]}
        empty={grants.error ? <ErrorAlert error={grants.error} onRetry={() => void grants.reload()} /> : <Box textAlign="center">No grants</Box>}
      />
      {revoking && (
        <Confirm header="Revoke grant" action="Revoke" onDismiss={() => setRevoking(undefined)} onConfirmed={() => run('RevokeGrant', { GrantId: revoking.GrantId }).then(() => setRevoking(undefined))}>
          <span style={anywhere}>
            The grant {grantText(revoking)} will no longer allow {revoking.GranteePrincipal}: {revoking.Operations.join(', ')}. A revoked grant does not come back; it has to be made anew.
          </span>
        </Confirm>
      )}
      <Modal
        visible={adding}
        onDismiss={() => setAdding(false)}
        header="Create grant"
        footer={
          <Box float="right">
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" onClick={() => setAdding(false)}>Cancel</Button>
              <Button variant="primary" disabled={!grantee || chosen.length === 0} onClick={() => void run('CreateGrant', { GranteePrincipal: grantee, Operations: chosen, ...(retiring && { RetiringPrincipal: retiring }), ...(name && { Name: name }) })}>Create</Button>
            </SpaceBetween>
          </Box>
        }
      >
        <SpaceBetween size="m">
          <FormField label="Grantee principal" constraintText="An ARN."><Input value={grantee} onChange={({ detail }) => setGrantee(detail.value)} /></FormField>
          <FormField label="Retiring principal - optional" constraintText="An ARN: who may retire the grant, too."><Input value={retiring} onChange={({ detail }) => setRetiring(detail.value)} /></FormField>
          <FormField label="Name - optional"><Input value={name} onChange={({ detail }) => setName(detail.value)} /></FormField>
          <FormField label="Operations">
            <Multiselect
              selectedOptions={chosen.map((value) => ({ value, label: value }))}
              options={operationsFor(metadata).map((value) => ({ value, label: value }))}
              placeholder="Choose operations"
              onChange={({ detail }) => setChosen(detail.selectedOptions.map(({ value }) => value!))}
            />
          </FormField>
        </SpaceBetween>
      </Modal>
    </SpaceBetween>
  );
}
