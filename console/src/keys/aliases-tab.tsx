// Aliases of a key.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { call, type ApiError } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert } from '../parts';
import { Confirm } from './confirm';
import type { KeyMetadata } from './metadata';

interface Alias {
  AliasName: string;
  AliasArn: string;
}

export function AliasesTab({ metadata, may, version }: { metadata: KeyMetadata; may: May; version: number }) {
  const aliases = useLoaded(async () => (await call<{ Aliases: Alias[] }>('ListAliases', { KeyId: metadata.KeyId })).Aliases, [metadata.KeyId], version);
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState('');
  const [deleting, setDeleting] = useState<Alias>();
  const [error, setError] = useState<ApiError>();
  const managed = metadata.KeyManager === 'AWS' ? 'AWS managed keys are changed by their service only.' : undefined;

  async function run(operation: string, input: object) {
    setError(undefined);
    try {
      await call(operation, input);
      setName('');
    } catch (problem) {
      setError(problem as ApiError);
    }
    setAdding(false);
    await aliases.reload();
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="The aliases were not changed" />}
      <Table
        header={
          <Header variant="h2" counter={aliases.data ? `(${aliases.data.length})` : ''} actions={<ActionButton reason={managed ?? may('CreateAlias')} onClick={() => setAdding(true)}>Create alias</ActionButton>}>
            Aliases
          </Header>
        }
        loading={aliases.loading}
        loadingText="Loading aliases"
        items={aliases.data ?? []}
        columnDefinitions={[
          { id: 'name', header: 'Alias name', cell: (alias) => alias.AliasName.slice('alias/'.length), isRowHeader: true },
          { id: 'arn', header: 'Alias ARN', cell: (alias) => <span style={{ overflowWrap: 'anywhere' }}>{alias.AliasArn}</span> },
          {
            id: 'delete',
            header: 'Actions',
            cell: (alias) => (
              <ActionButton variant="inline-link" ariaLabel={`Delete ${alias.AliasName}`} reason={managed ?? may('DeleteAlias')} onClick={() => setDeleting(alias)}>
                Delete
              </ActionButton>
            ),
          },
        ]}
        empty={aliases.error ? <ErrorAlert error={aliases.error} onRetry={() => void aliases.reload()} /> : <Box textAlign="center">No aliases</Box>}
      />
      {deleting && (
        <Confirm header="Delete alias" action="Delete" onDismiss={() => setDeleting(undefined)} onConfirmed={() => run('DeleteAlias', { AliasName: deleting.AliasName }).then(() => setDeleting(undefined))}>
          <span style={{ overflowWrap: 'anywhere' }}>Requests that name the key by {deleting.AliasName} will fail. The key itself stays as it is.</span>
        </Confirm>
      )}
      <Modal
        visible={adding}
        onDismiss={() => setAdding(false)}
        header="Create alias"
        footer={
          <Box float="right">
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" onClick={() => setAdding(false)}>Cancel</Button>
              <Button variant="primary" disabled={!name} onClick={() => void run('CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: metadata.KeyId })}>Create</Button>
            </SpaceBetween>
          </Box>
        }
      >
        <FormField label="Alias" constraintText="Letters, digits, / _ and -; without alias/."><Input value={name} onChange={({ detail }) => setName(detail.value)} /></FormField>
      </Modal>
    </SpaceBetween>
  );
}
