// The last calls, as the trail has them.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import Modal from '@cloudscape-design/components/modal';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import { get, type ApiError } from './api';
import { useLoaded } from './hooks';
import { downloadText, ErrorAlert, Moment } from './parts';

interface TrailRecord {
  eventID: string;
  eventTime: string;
  eventName: string;
  sourceIPAddress: string;
  userIdentity: { arn?: string; type?: string; invokedBy?: string };
  errorCode?: string;
  resources?: { ARN: string }[];
}

interface Page {
  Records: TrailRecord[];
  Before?: string;
}

const fields = { 'key-id': 'Key ID', principal: 'Principal', operation: 'Operation' } as const;
type Field = keyof typeof fields;

export default function Trail() {
  const [search, setSearch] = useSearchParams();
  const [draft, setDraft] = useState<Record<string, string>>(() => Object.fromEntries(search));
  const [more, setMore] = useState<Page[]>([]);
  const [error, setError] = useState<ApiError>();
  const [open, setOpen] = useState<TrailRecord>();
  const query = search.toString();
  const first = useLoaded(() => get<Page>(`trail?${query}`), [query]);
  useEffect(() => {
    setMore([]);
    setDraft(Object.fromEntries(search));
  }, [query]);
  const pages = [...(first.data ? [first.data] : []), ...more];
  const before = pages.at(-1)?.Before;
  const apply = () => {
    const next = Object.fromEntries(Object.entries(draft).filter(([, value]) => value.trim()).map(([name, value]) => [name, value.trim()]));
    setSearch(next);
    if (new URLSearchParams(next).toString() === query) void first.reload();
  };
  async function older() {
    setError(undefined);
    try {
      const page = await get<Page>(`trail?${new URLSearchParams({ ...Object.fromEntries(search), before: before! })}`);
      setMore((all) => [...all, page]);
    } catch (problem) {
      setError(problem as ApiError);
    }
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} onRetry={() => void older()} title="Older calls could not be read" />}
      {first.error && <ErrorAlert error={first.error} onRetry={() => void first.reload()} title="The trail could not be read" />}
      <Table
        variant="full-page"
        header={
          <Header
            variant="h1"
            description="Every call, with who made it, newest first. `keyturn trail verify` proves that nothing is missing."
            actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={() => void first.reload()} />}
          >
            Trail
          </Header>
        }
        filter={
          <form
            onSubmit={(event) => {
              event.preventDefault();
              apply();
            }}
          >
            <ColumnLayout columns={4} minColumnWidth={160}>
              {(Object.keys(fields) as Field[]).map((name) => (
                <FormField key={name} label={fields[name]}>
                  <Input value={draft[name] ?? ''} onChange={({ detail }) => setDraft((all) => ({ ...all, [name]: detail.value }))} />
                </FormField>
              ))}
              <FormField label=" "><Button>Filter</Button></FormField>
            </ColumnLayout>
          </form>
        }
        loading={first.loading}
        loadingText="Reading the trail"
        wrapLines
        items={pages.flatMap((page) => page.Records)}
        trackBy="eventID"
        columnDefinitions={[
          { id: 'name', header: 'Operation', isRowHeader: true, cell: (each) => <Link href="#" onFollow={(event) => { event.preventDefault(); setOpen(each); }} ariaLabel={`${each.eventName}: show the record`}>{each.eventName}</Link> },
          { id: 'time', header: 'Time', minWidth: 150, cell: (each) => <Moment seconds={Date.parse(each.eventTime) / 1000} withTime /> },
          { id: 'who', header: 'Principal', cell: (each) => each.userIdentity.arn?.split(':').pop() ?? each.userIdentity.invokedBy ?? each.userIdentity.type ?? '-' },
          { id: 'key', header: 'Key', minWidth: 180, cell: (each) => <span style={{ overflowWrap: 'anywhere' }}>{each.resources?.[0]?.ARN.split('/').pop() ?? '-'}</span> },
          { id: 'from', header: 'Source address', cell: (each) => each.sourceIPAddress },
          { id: 'result', header: 'Result', cell: (each) => <StatusIndicator type={each.errorCode ? 'error' : 'success'} wrapText={false}>{each.errorCode ?? 'Success'}</StatusIndicator> },
        ]}
        empty={first.error ? '' : <Box textAlign="center">No calls{query && ' match'}</Box>}
        footer={before && <Box textAlign="center"><Button onClick={() => void older()}>Show older calls</Button></Box>}
      />
      {open && (
        <Modal
          visible
          size="large"
          onDismiss={() => setOpen(undefined)}
          header={open.eventName}
          footer={<Box float="right"><Button iconName="download" onClick={() => downloadText(`${open.eventID}.json`, 'application/json', JSON.stringify(open, null, 2))}>Download</Button></Box>}
        >
          <Box variant="code"><pre style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{JSON.stringify(open, null, 2)}</pre></Box>
        </Modal>
      )}
    </SpaceBetween>
  );
}
