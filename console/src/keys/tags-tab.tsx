// Tags of a key.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { call, type ApiError, type Tag } from '../api';
import { useLoaded, type May } from '../hooks';
import { ActionButton, ErrorAlert } from '../parts';
import type { KeyMetadata } from './metadata';

export function TagsTab({ metadata, may, version }: { metadata: KeyMetadata; may: May; version: number }) {
  const tags = useLoaded(async () => (await call<{ Tags: Tag[] }>('ListResourceTags', { KeyId: metadata.KeyId })).Tags, [metadata.KeyId], version);
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [error, setError] = useState<ApiError>();
  const managed = metadata.KeyManager === 'AWS' ? 'AWS managed keys are changed by their service only.' : undefined;

  async function run(operation: string, input: object) {
    setError(undefined);
    try {
      await call(operation, { KeyId: metadata.KeyId, ...input });
      setAdding(false);
      setName('');
      setValue('');
    } catch (problem) {
      setError(problem as ApiError);
      setAdding(false);
    }
    await tags.reload();
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="The tags were not changed" />}
      <Table
        header={
          <Header variant="h2" counter={tags.data ? `(${tags.data.length})` : ''} actions={<ActionButton reason={managed ?? may('TagResource')} onClick={() => setAdding(true)}>Add tag</ActionButton>}>
            Tags
          </Header>
        }
        loading={tags.loading}
        loadingText="Loading tags"
        items={tags.data ?? []}
        columnDefinitions={[
          { id: 'key', header: 'Tag key', cell: (tag) => tag.TagKey, isRowHeader: true },
          { id: 'value', header: 'Tag value', cell: (tag) => tag.TagValue || '-' },
          {
            id: 'remove',
            header: 'Actions',
            cell: (tag) => (
              <ActionButton variant="inline-link" ariaLabel={`Remove tag ${tag.TagKey}`} reason={managed ?? may('UntagResource')} onClick={() => void run('UntagResource', { TagKeys: [tag.TagKey] })}>
                Remove
              </ActionButton>
            ),
          },
        ]}
        empty={tags.error ? <ErrorAlert error={tags.error} onRetry={() => void tags.reload()} /> : <Box textAlign="center">No tags</Box>}
      />
      <Modal
        visible={adding}
        onDismiss={() => setAdding(false)}
        header="Add tag"
        footer={
          <Box float="right">
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" onClick={() => setAdding(false)}>Cancel</Button>
              <Button variant="primary" disabled={!name} onClick={() => void run('TagResource', { Tags: [{ TagKey: name, TagValue: value }] })}>Add</Button>
            </SpaceBetween>
          </Box>
        }
      >
        <SpaceBetween size="m">
          <FormField label="Tag key" constraintText="Up to 128 characters."><Input value={name} onChange={({ detail }) => setName(detail.value)} /></FormField>
          <FormField label="Tag value" constraintText="Up to 256 characters."><Input value={value} onChange={({ detail }) => setValue(detail.value)} /></FormField>
        </SpaceBetween>
      </Modal>
    </SpaceBetween>
  );
}
