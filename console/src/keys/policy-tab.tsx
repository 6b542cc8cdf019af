// The key policy as text, and the server's answer to who may do what with the key.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useEffect, useState } from 'react';
import { call, get, type ApiError, type Permissions } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert } from '../parts';
import { useShell } from '../shell-context';
import { isSymmetric, type KeyMetadata } from './metadata';

const cryptographic: Record<string, string[]> = {
  ENCRYPT_DECRYPT: ['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
};
const managing = ['CancelKeyDeletion', 'CreateAlias', 'CreateGrant', 'DeleteAlias', 'DescribeKey', 'DisableKey', 'DisableKeyRotation', 'EnableKey', 'EnableKeyRotation', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListGrants', 'ListKeyRotations', 'ListResourceTags', 'PutKeyPolicy', 'RotateKeyOnDemand', 'ScheduleKeyDeletion', 'TagResource', 'UntagResource', 'UpdateKeyDescription'];
const explainable = (key: KeyMetadata) => [...(cryptographic[key.KeyUsage] ?? []), ...(isSymmetric(key) ? ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'] : []), ...managing];

// parseProblem tells why the text is no policy, before the server is asked.
function parseProblem(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}

interface Explanation {
  Principal: string;
  Action: string;
  Allowed: boolean;
  Reason?: string;
  Grants: number;
  Policies: { Name: string; Statements: { Index: number; Sid?: string; Effect: string; Applies: boolean; Detail: string }[] }[];
}

// Explain asks the server which statements decide whether somebody may do something to the key.
function Explain({ keyId, operations }: { keyId: string; operations: string[] }) {
  const [operation, setOperation] = useState(operations[0]!);
  const [user, setUser] = useState('');
  const [answer, setAnswer] = useState<Explanation>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  async function ask() {
    setBusy(true);
    setError(undefined);
    try {
      setAnswer(await get<Explanation>(`explain?${new URLSearchParams({ 'key-id': keyId, operation, ...(user.trim() && { user: user.trim() }) })}`));
    } catch (problem) {
      setAnswer(undefined);
      setError(problem as ApiError);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Container header={<Header variant="h2" description="Every statement of every policy that has a say, and what came of it.">Explain a decision</Header>}>
      <SpaceBetween size="m">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void ask();
          }}
        >
          <ColumnLayout columns={3} minColumnWidth={170}>
            <FormField label="Operation">
              <Select selectedOption={{ value: operation }} options={operations.map((value) => ({ value }))} onChange={({ detail }) => setOperation(detail.selectedOption.value!)} filteringType="auto" ariaLabel="Operation" />
            </FormField>
            <FormField label="User - optional" constraintText="Without one: you.">
              <Input value={user} onChange={({ detail }) => setUser(detail.value)} spellcheck={false} />
            </FormField>
            <FormField label=" "><Button loading={busy}>Explain</Button></FormField>
          </ColumnLayout>
        </form>
        {error && <ErrorAlert error={error} onRetry={() => void ask()} title="The decision could not be explained" />}
        {answer && (
          <SpaceBetween size="m">
            <StatusIndicator type={answer.Allowed ? 'success' : 'error'} wrapText>
              {answer.Allowed ? `${answer.Principal} may perform ${answer.Action}.` : answer.Reason}
            </StatusIndicator>
            <Table
              variant="embedded"
              ariaLabels={{ tableLabel: 'Statements' }}
              wrapLines
              items={answer.Policies.flatMap((policy) => policy.Statements.map((statement) => ({ ...statement, policy: policy.Name })))}
              columnDefinitions={[
                { id: 'statement', header: 'Statement', isRowHeader: true, cell: (each) => `${each.policy}: ${each.Sid ?? `statement ${each.Index + 1}`}` },
                { id: 'effect', header: 'Effect', cell: (each) => each.Effect },
                { id: 'applies', header: 'Applies', minWidth: 100, cell: (each) => <StatusIndicator type={!each.Applies ? 'stopped' : each.Effect === 'Allow' ? 'success' : 'error'}>{each.Applies ? 'Yes' : 'No'}</StatusIndicator> },
                { id: 'detail', header: 'Why', cell: (each) => each.Detail },
              ]}
              empty={<Box textAlign="center">No statements</Box>}
              footer={answer.Grants > 0 && `${answer.Grants} grants allow it, too.`}
            />
          </SpaceBetween>
        )}
      </SpaceBetween>
    </Container>
  );
}

export function PolicyTab({ metadata, may, version, onChanged }: { metadata: KeyMetadata; may: May; version: number; onChanged: () => void }) {
  const { notify } = useShell();
  const policy = useLoaded(async () => (await call<{ Policy: string }>('GetKeyPolicy', { KeyId: metadata.KeyId, PolicyName: 'default' })).Policy, [metadata.KeyId], version);
  const decisions = useLoaded(() => get<Permissions>(`permissions?key-id=${encodeURIComponent(metadata.KeyId)}`), [metadata.KeyId], version);
  const [text, setText] = useState('');
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  // What is being written outlives a refresh.
  useEffect(() => {
    if (!editing) setText(policy.data ?? '');
  }, [policy.data]);
  const reason = metadata.KeyManager === 'AWS' ? 'The policy of an AWS managed key cannot be changed.' : may('PutKeyPolicy');
  const problem = editing ? parseProblem(text) : '';

  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      await call('PutKeyPolicy', { KeyId: metadata.KeyId, PolicyName: 'default', Policy: text });
      notify('success', 'The key policy is changed.');
      setEditing(false);
      onChanged();
    } catch (told) {
      setError(told as ApiError);
    } finally {
      setBusy(false);
    }
  }

  return (
    <SpaceBetween size="l">
      {policy.error && <ErrorAlert error={policy.error} onRetry={() => void policy.reload()} title="The key policy could not be read" />}
      {error && <ErrorAlert error={error} title="The key policy was not changed" />}
      <Container
        header={
          <Header
            variant="h2"
            actions={
              editing ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button variant="link" onClick={() => { setEditing(false); setText(policy.data ?? ''); }}>Cancel</Button>
                  <Button variant="primary" loading={busy} disabled={problem !== ''} onClick={() => void save()}>Save changes</Button>
                </SpaceBetween>
              ) : (
                <ActionButton reason={reason} disabled={!policy.data} onClick={() => setEditing(true)}>Edit</ActionButton>
              )
            }
          >
            Key policy
          </Header>
        }
      >
        {editing ? (
          <FormField label="Policy document" errorText={problem} stretch>
            <Textarea value={text} onChange={({ detail }) => setText(detail.value)} rows={18} spellcheck={false} />
          </FormField>
        ) : (
          <Box variant="code">
            <pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{policy.data ?? ''}</pre>
          </Box>
        )}
      </Container>
      <Explain keyId={metadata.KeyId} operations={explainable(metadata)} />
      <Table
        header={<Header variant="h2" description="Key policy, identity policies, groups, boundaries and session together, as the server decides.">What you may do</Header>}
        loading={decisions.loading}
        loadingText="Asking the server"
        items={Object.entries(decisions.data ?? {}).map(([operation, decision]) => ({ operation, ...decision }))}
        columnDefinitions={[
          { id: 'operation', header: 'Operation', isRowHeader: true, cell: (each) => `kms:${each.operation}` },
          { id: 'decision', header: 'Decision', minWidth: 120, cell: (each) => <StatusIndicator type={each.Allowed ? 'success' : 'error'}>{each.Allowed ? 'Allowed' : 'Denied'}</StatusIndicator> },
          { id: 'reason', header: 'Reason', cell: (each) => each.Reason ?? '-' },
        ]}
        wrapLines
        empty={decisions.error ? <ErrorAlert error={decisions.error} onRetry={() => void decisions.reload()} /> : ''}
      />
    </SpaceBetween>
  );
}
