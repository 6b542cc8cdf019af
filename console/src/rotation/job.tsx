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
import { useEffect, useMemo, useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { get, isOpen, post, settingText, watch, type ApiError, type Job, type JobLine } from '../api';
import { ConfirmSecret } from '../keys/confirm-secret';
import { useLoaded } from '../hooks';
import { csv } from '../csv';
import { downloadText, ErrorAlert, Moment } from '../parts';
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

// useJob follows a job while it is at work, and reads its lines whenever it has stopped.
function useJob(id: string) {
  const whole = useLoaded(() => get<Job>(`jobs/${id}`), [id]);
  const [live, setLive] = useState<Job>();
  const [problem, setProblem] = useState<ApiError>();
  useEffect(() => setLive(undefined), [whole.data]);
  const job = live ?? whole.data;
  const open = job !== undefined && isOpen(job);
  useEffect(() => {
    if (!open) return;
    let over = false;
    const timer = setInterval(() => {
      watch<Job>(`jobs/${id}?lines=false`).then(
        (seen) => {
          if (over) return;
          setProblem(undefined);
          setLive(seen);
          if (!isOpen(seen)) void whole.reload();
        },
        (error) => !over && setProblem(error as ApiError),
      );
    }, pollMilliseconds);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [open, id]);
  return { job, lines: whole.data?.Lines, error: whole.error, problem, reload: whole.reload };
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
  const { job, lines, error, problem, reload } = useJob(jobId);
  const [failure, setFailure] = useState<ApiError>();
  const [asking, setAsking] = useState(false);
  if (error) {
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
              {open && <Button onClick={() => void act('cancel', 'The job is cancelled.')}>Cancel job</Button>}
              {(!open || job.State === 'WAITING') && left > 0 && <Button variant="primary" onClick={goOn}>{counts.Pending > 0 ? 'Go on' : `Retry ${keysText(counts.Failed)}`}</Button>}
              {!open && job.Phase === 'APPLY' && counts.Done > 0 && <Button onClick={() => navigate(`/kms/rotation/disable?job=${job.JobId}`)}>Back out</Button>}
            </SpaceBetween>
          }
        >
          {jobTitle(job)}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {failure && <ErrorAlert error={failure} title="That was not done" />}
        {problem && <Alert type="warning">{problem.message} The job does not depend on this page.</Alert>}
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
            { id: 'when', header: 'Asked for', cell: (each) => <Moment seconds={each.Asked} withTime /> },
            { id: 'by', header: 'By', cell: (each) => <span style={{ overflowWrap: 'anywhere' }}>{each.By}</span> },
            { id: 'why', header: 'Justification', cell: (each) => each.Justification ?? '-' },
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
