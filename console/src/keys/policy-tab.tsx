// The key policy as text, and the server's answer to who may do what with the key.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useEffect, useState } from 'react';
import { call, get, type ApiError, type Permissions } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert } from '../parts';
import { useShell } from '../shell-context';
import type { KeyMetadata } from './metadata';

// parseProblem tells why the text is no policy, before the server is asked.
function parseProblem(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}

export function PolicyTab({ metadata, may }: { metadata: KeyMetadata; may: May }) {
  const { notify } = useShell();
  const policy = useLoaded(async () => (await call<{ Policy: string }>('GetKeyPolicy', { KeyId: metadata.KeyId, PolicyName: 'default' })).Policy, [metadata.KeyId]);
  const decisions = useLoaded(() => get<Permissions>(`permissions?key-id=${encodeURIComponent(metadata.KeyId)}`), [metadata.KeyId]);
  const [text, setText] = useState('');
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  useEffect(() => setText(policy.data ?? ''), [policy.data]);
  const reason = metadata.KeyManager === 'AWS' ? 'The policy of an AWS managed key cannot be changed.' : may('PutKeyPolicy');
  const problem = editing ? parseProblem(text) : '';

  async function save() {
    setBusy(true);
    setError(undefined);
    try {
      await call('PutKeyPolicy', { KeyId: metadata.KeyId, PolicyName: 'default', Policy: text });
      notify('success', 'The key policy is changed.');
      setEditing(false);
      await Promise.all([policy.reload(), decisions.reload()]);
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
      <Table
        header={<Header variant="h2" description="Key policy, identity policies, groups, boundaries and session together, as the server decides.">What you may do</Header>}
        loading={decisions.loading}
        loadingText="Asking the server"
        items={Object.entries(decisions.data ?? {}).map(([operation, decision]) => ({ operation, ...decision }))}
        columnDefinitions={[
          { id: 'operation', header: 'Operation', isRowHeader: true, cell: (each) => `kms:${each.operation}` },
          { id: 'decision', header: 'Decision', cell: (each) => <StatusIndicator type={each.Allowed ? 'success' : 'error'}>{each.Allowed ? 'Allowed' : 'Denied'}</StatusIndicator> },
          { id: 'reason', header: 'Reason', cell: (each) => each.Reason ?? '-' },
        ]}
        wrapLines
        empty={decisions.error ? <ErrorAlert error={decisions.error} /> : ''}
      />
    </SpaceBetween>
  );
}
