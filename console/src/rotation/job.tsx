// One job: how far it is, what came of each key, and what can be done about it.
import { useCollection } from '@cloudscape-design/collection-hooks';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import Pagination from '@cloudscape-design/components/pagination';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { get, isOpen, post, settingText, watch, type ApiError, type Job, type JobLine } from '../api';
import { ConfirmSecret } from '../keys/confirm-secret';
import { csv } from '../csv';
import { ActionButton, downloadText, ErrorAlert, Moment } from '../parts';
import { useShell } from '../shell-context';
import { JobStatus, jobTitle, keysText, shortName } from './parts';

const outcomes: Record<JobLine['Outcome'], { type: StatusIndicatorProps.Type; text: string }> = {
  DONE: { type: 'success', text: 'Changed' },
  UNCHANGED: { type: 'info', text: 'As wanted already' },
  REFUSED: { type: 'stopped', text: 'Left alone' },
  FAILED: { type: 'error', text: 'Failed' },
  PENDING: { type: 'pending', text: 'Not reached yet' },
};
const pollMilliseconds = 1000;

// useJob reads a job, and follows it while it is at work; its lines are read whenever it has stopped.
// A problem later on leaves what is known of it: a server that could not be reached may be back.
function useJob(id: string) {
  const [seen, setSeen] = useState<{ job?: Job; error?: ApiError }>({});
  const [lines, setLines] = useState<JobLine[]>();
  const turn = useRef(0);
  const failed = (error: unknown) => setSeen((before) => ({ ...before, error: error as ApiError }));
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const job = await get<Job>(`jobs/${id}`);
      if (mine !== turn.current) return;
      setSeen({ job });
      setLines(job.Lines);
    } catch (error) {
      if (mine === turn.current) failed(error);
    }
  }, [id]);
  useEffect(() => {
    setSeen({});
    setLines(undefined);
    void reload();
    return () => void ++turn.current;
  }, [reload]);
  const follow = seen.job !== undefined && (isOpen(seen.job) || seen.error !== undefined);
  useEffect(() => {
    if (!follow) return;
    let over = false;
    const look = async () => {
      try {
        const job = await watch<Job>(`jobs/${id}?lines=false`);
        if (over) return;
        setSeen({ job });
        if (!isOpen(job)) void reload();
      } catch (error) {
        if (!over) failed(error);
      }
    };
    const timer = setInterval(() => void look(), pollMilliseconds);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [follow, id, reload]);
  return { ...seen, lines, reload };
}

function Lines({ lines, job }: { lines: JobLine[]; job: Job }) {
  const [only, setOnly] = useState('');
  const shown = useMemo(() => lines.filter((line) => !only || line.Outcome === only), [lines, only]);
  const collection = useCollection(shown, { pagination: { pageSize: 25 }, sorting: {} });
  const download = () =>
    downloadText(`job-${job.JobId}.csv`, 'text/csv',
      csv([['ARN', 'Aliases', 'Before', 'Wanted', 'Outcome', 'Read back', 'Detail', 'Request ID'],
        ...lines.map((line) => [line.Arn, line.Aliases.join(' '), settingText(line.Before), settingText(line.Wanted), line.Outcome,
          line.Seen === undefined ? '' : line.Seen ? 'as wanted' : 'not as wanted', line.Detail ?? line.SeenDetail, line.RequestId])]));
  const options = [{ value: '', label: 'All outcomes' }, ...Object.entries(outcomes).map(([value, { text }]) => ({ value, label: text }))];
  return (
    <Table
      {...collection.collectionProps}
      header={<Header variant="h2" counter={`(${shown.length})`} actions={<Button iconName="download" onClick={download}>CSV</Button>}>Keys</Header>}
      filter={<Select selectedOption={options.find(({ value }) => value === only)!} options={options} onChange={({ detail }) => setOnly(detail.selectedOption.value ?? '')} ariaLabel="Outcome" />}
      pagination={<Pagination {...collection.paginationProps} />}
      items={collection.items}
      trackBy="Arn"
      wrapLines
      columnDefinitions={[
        { id: 'key', header: 'Key', isRowHeader: true, minWidth: 170, cell: (line) => shortName(line), sortingComparator: (a, b) => shortName(a).localeCompare(shortName(b)) },
        { id: 'region', header: 'Region', minWidth: 125, cell: (line) => line.Region, sortingField: 'Region' },
        { id: 'before', header: 'Before', minWidth: 130, cell: (line) => settingText(line.Before) },
        { id: 'wanted', header: 'Wanted', minWidth: 130, cell: (line) => settingText(line.Wanted) },
        { id: 'outcome', header: 'Outcome', minWidth: 150, cell: (line) => <StatusIndicator type={outcomes[line.Outcome].type}>{outcomes[line.Outcome].text}</StatusIndicator>, sortingField: 'Outcome' },
        { id: 'seen', header: 'Read back', minWidth: 155, cell: (line) => (line.Seen === undefined ? '-' : <StatusIndicator type={line.Seen ? 'success' : 'error'}>{line.Seen ? 'As wanted' : 'Not as wanted'}</StatusIndicator>) },
        { id: 'detail', header: 'Detail', minWidth: 180, cell: (line) => (<>{line.Detail ?? line.SeenDetail ?? '-'}{line.Outcome === 'FAILED' && line.RequestId && <Box variant="small">Request ID: {line.RequestId}</Box>}</>) },
      ]}
      empty={<Box textAlign="center">No keys</Box>}
    />
  );
}

export default function JobPage() {
  const { jobId = '' } = useParams();
  const navigate = useNavigate();
  const { notify } = useShell();
  const { job, lines, error, reload } = useJob(jobId);
  const [failure, setFailure] = useState<ApiError>();
  const [asking, setAsking] = useState(false);
  if (error && !job) {
    return (
      <ContentLayout header={<Header variant="h1">Job</Header>}>
        <ErrorAlert error={error} onRetry={() => void reload()} title="The job could not be read" />
      </ContentLayout>
    );
  }
  if (!job) return <ContentLayout header={<Header variant="h1">Job</Header>}><Spinner size="large" /></ContentLayout>;
  const { Counts: counts } = job;
  const open = isOpen(job);
  const reached = counts.Keys - counts.Pending;
  const left = counts.Failed + counts.Pending;
  const reason = job.Mine ? undefined : `Only ${job.Owner.split(':').pop()}, who asked for the job, may do this.`;
  const offers = job.Phase === 'BACKOUT' || !job.Wanted.Enabled;

  async function act(what: 'cancel' | 'resume', done: string) {
    setFailure(undefined);
    try {
      await post(`jobs/${jobId}/${what}`);
      notify('success', done);
    } catch (told) {
      setFailure(told as ApiError);
      if (what === 'resume' && offers) throw told;
    } finally {
      await reload();
    }
  }
  const goOn = () => (offers ? setAsking(true) : void act('resume', 'The job goes on.'));

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {open && <ActionButton reason={reason} onClick={() => void act('cancel', 'The job is cancelled.')}>Cancel job</ActionButton>}
              {(!open || job.State === 'WAITING') && left > 0 && <ActionButton variant="primary" reason={reason} onClick={goOn}>{counts.Pending > 0 ? 'Go on' : `Retry ${keysText(counts.Failed)}`}</ActionButton>}
              {!open && job.Phase === 'APPLY' && counts.Done > 0 && <ActionButton reason={reason} onClick={() => navigate(`/kms/rotation/disable?job=${job.JobId}`)}>Back out</ActionButton>}
            </SpaceBetween>
          }
        >
          {jobTitle(job)}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {failure && <ErrorAlert error={failure} title="That was not done" />}
        {error && <Alert type="warning">{error.message} The job does not depend on this page.</Alert>}
        {job.State === 'WAITING' && job.Reason && <Alert type="warning" header="The job is waiting">{job.Reason}</Alert>}
        <Container header={<Header variant="h2">Progress</Header>}>
          <SpaceBetween size="l">
            <ProgressBar
              value={counts.Keys === 0 ? 100 : (100 * reached) / counts.Keys}
              label={`${reached} of ${keysText(counts.Keys)}`}
              {...(open && { description: 'It goes on when you leave this page, and after a restart of the server once you have signed in.' })}
              {...(!open && { status: counts.Failed + counts.Refused + counts.Pending > 0 ? ('error' as const) : ('success' as const), resultText: `${counts.Done} changed, ${counts.Verified} read back as wanted, ${counts.Failed + counts.Refused} not changed` })}
            />
            <KeyValuePairs
              columns={3}
            minColumnWidth={175}
              items={[
                { label: 'Status', value: <JobStatus job={job} /> },
                { label: 'Changed', value: `${counts.Done}, ${counts.Verified} read back as wanted` },
                { label: 'As wanted already', value: String(counts.Unchanged) },
                { label: 'Left alone', value: String(counts.Refused) },
                { label: 'Failed', value: String(counts.Failed) },
                { label: 'Job ID', value: <span style={{ overflowWrap: 'anywhere' }}>{job.JobId}</span> },
              ]}
            />
          </SpaceBetween>
        </Container>
        <Table
          header={<Header variant="h2">What was asked for</Header>}
          items={job.Steps}
          wrapLines
          columnDefinitions={[
            { id: 'what', header: 'Step', isRowHeader: true, cell: (each) => (each.Phase === 'BACKOUT' ? 'Take back' : job.Wanted.Enabled ? 'Turn on' : 'Turn off') },
            { id: 'when', header: 'Asked for', minWidth: 130, cell: (each) => <Moment seconds={each.Asked} withTime /> },
            { id: 'by', header: 'By', minWidth: 180, cell: (each) => <span style={{ overflowWrap: 'anywhere' }}>{each.By}</span> },
            { id: 'why', header: 'Justification', minWidth: 150, cell: (each) => each.Justification ?? '-' },
          ]}
          footer={<Link href={`#/kms/trail?operation=${job.Wanted.Enabled ? 'EnableKeyRotation' : 'DisableKeyRotation'}`}>The changes in the trail</Link>}
        />
        {!open && lines && <Lines lines={lines} job={job} />}
      </SpaceBetween>
      {asking && (
        <ConfirmSecret
          header="Go on"
          action="Go on"
          onDismiss={() => setAsking(false)}
          onConfirmed={async () => {
            await act('resume', 'The job goes on.');
            setAsking(false);
          }}
        >
          <span>The job can leave keys without automatic rotation.</span>
        </ConfirmSecret>
      )}
    </ContentLayout>
  );
}
