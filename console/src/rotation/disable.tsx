// Back-out: take a job back, which restores what each key had before, or turn rotation off.
import Container from '@cloudscape-design/components/container';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import Wizard from '@cloudscape-design/components/wizard';
import { useEffect, useMemo, useState } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router-dom';
import { get, isOpen, post, type ApiError, type Job, type JobPlan, type Key, type KeyList } from '../api';
import { ConfirmSecret } from '../keys/confirm-secret';
import { useLoaded } from '../hooks';
import { ErrorAlert } from '../parts';
import { jobColumns, KeyPicker, keysText, PlanReview } from './parts';

const word = 'back out';
const rotates = (key: Key) => key.KeyManager === 'CUSTOMER' && key.KeyState === 'Enabled' && key.Rotation?.Enabled === true && key.MultiRegionKeyType !== 'REPLICA';
const canTakeBack = (job: Job) => job.Mine && !isOpen(job) && job.Phase === 'APPLY' && job.Counts.Done > 0;

// wayBack: what taking a job back would do, in the words of a plan.
const wayBack = (job: Job): JobPlan => ({
  Changes: (job.Lines ?? []).filter((line) => line.Outcome === 'DONE').map((line) => ({ ...line, Before: line.Wanted, Wanted: line.Before })),
  LeftAlone: [],
});

export default function BackOut() {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const { state } = useLocation();
  const asked = (state as { arns?: string[] } | null)?.arns;
  const jobs = useLoaded(async () => (await get<{ Jobs: Job[] }>('jobs')).Jobs.filter(canTakeBack), []);
  const list = useLoaded(() => get<KeyList>('keys?regions=all'), []);
  const [way, setWay] = useState(asked ? 'keys' : 'job');
  const [jobId, setJobId] = useState(search.get('job') ?? '');
  const [selected, setSelected] = useState<Key[]>([]);
  const [step, setStep] = useState(search.get('job') ? 1 : 0);
  const [justification, setJustification] = useState('');
  const [typed, setTyped] = useState('');
  const [tried, setTried] = useState(false);
  const [plan, setPlan] = useState<JobPlan>();
  const [error, setError] = useState<ApiError>();
  const [confirming, setConfirming] = useState(false);
  const keys = useMemo(() => (list.data?.Keys ?? []).filter(rotates), [list.data]);
  useEffect(() => {
    if (asked && list.data) setSelected(list.data.Keys.filter((key) => asked.includes(key.Arn) && rotates(key) && !key.Denied?.includes('DisableKeyRotation')));
  }, [list.data]);
  const chosen = way === 'job' ? jobId !== '' : selected.length > 0;
  const justified = justification.trim() !== '' && typed.trim().toLowerCase() === word;
  const request = () => ({ Enabled: false, Justification: justification.trim(), Keys: selected.map((key) => key.Arn) });

  async function review() {
    setPlan(undefined);
    setError(undefined);
    try {
      setPlan(way === 'job' ? wayBack(await get<Job>(`jobs/${jobId}`)) : await post<JobPlan>('jobs', { ...request(), DryRun: true }));
    } catch (problem) {
      setError(problem as ApiError);
    }
  }
  const go = (to: number) => {
    setTried(true);
    if ((to > 0 && !chosen) || (to > 1 && !justified)) return;
    setTried(false);
    setStep(to);
    if (to === 2) void review();
  };
  async function submit() {
    const job = way === 'job'
      ? await post<Job>(`jobs/${jobId}/backout`, { Justification: justification.trim() })
      : await post<Job>('jobs', request());
    navigate(`/kms/rotation/jobs/${job.JobId}`);
  }

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} onRetry={() => void review()} title="The review could not be made" />}
      <Wizard
        activeStepIndex={step}
        isLoadingNextStep={step === 2 && !plan && !error}
        onNavigate={({ detail }) => go(detail.requestedStepIndex)}
        onCancel={() => navigate('/kms/rotation')}
        onSubmit={() => plan && plan.Changes.length > 0 && setConfirming(true)}
        submitButtonText={way === 'job' ? 'Take back' : 'Turn off rotation'}
        steps={[
          {
            title: 'Choose what to take back',
            description: 'Nothing that was encrypted is lost: key material that was made in the meantime stays and goes on decrypting.',
            errorText: tried && !chosen ? (way === 'job' ? 'Choose a job.' : 'Choose at least one key.') : undefined,
            content: (
              <SpaceBetween size="l">
                <RadioGroup
                  ariaLabel="What to take back"
                  value={way}
                  onChange={({ detail }) => setWay(detail.value)}
                  items={[
                    { value: 'job', label: 'Take a job back', description: 'Each key gets the setting that it had before the job, unless somebody has changed it since.' },
                    { value: 'keys', label: 'Turn off rotation of keys', description: 'What each key has now is recorded, so that this job can be taken back.' },
                  ]}
                />
                {way === 'job' ? (
                  <>
                    {jobs.error && <ErrorAlert error={jobs.error} onRetry={() => void jobs.reload()} title="The jobs could not be listed" />}
                    <Table
                      header={<Header variant="h2" counter={jobs.data ? `(${jobs.data.length})` : ''}>Jobs</Header>}
                      loading={jobs.loading}
                      loadingText="Loading jobs"
                      items={jobs.data ?? []}
                      trackBy="JobId"
                      selectionType="single"
                      selectedItems={(jobs.data ?? []).filter((job) => job.JobId === jobId)}
                      onSelectionChange={({ detail }) => setJobId(detail.selectedItems[0]?.JobId ?? '')}
                      ariaLabels={{ tableLabel: 'Jobs', selectionGroupLabel: 'Job selection', itemSelectionLabel: (_, job) => `Select the job of ${new Date(job.Created * 1000).toISOString()}` }}
                      columnDefinitions={jobColumns}
                      wrapLines
                      empty={<Box textAlign="center">No job has changed anything that could be taken back.</Box>}
                    />
                  </>
                ) : (
                  <>
                    {list.error && <ErrorAlert error={list.error} onRetry={() => void list.reload()} title="The keys could not be read" />}
                    <KeyPicker keys={keys} operation="DisableKeyRotation" selected={selected} onSelect={setSelected} loading={list.loading} empty="No key rotates automatically." />
                  </>
                )}
              </SpaceBetween>
            ),
          },
          {
            title: 'Justification',
            content: (
              <Container header={<Header variant="h2">Why this is justified</Header>}>
                <SpaceBetween size="l">
                  <FormField label="Justification" description="Goes into the trail's record of every change." errorText={tried && justification.trim() === '' && 'Say why it is justified.'}>
                    <Textarea value={justification} onChange={({ detail }) => setJustification(detail.value)} rows={3} />
                  </FormField>
                  <FormField label={`To confirm, type "${word}"`} errorText={tried && typed.trim().toLowerCase() !== word && `Type "${word}".`}>
                    <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} autoComplete="off" />
                  </FormField>
                </SpaceBetween>
              </Container>
            ),
          },
          { title: 'Review', content: plan ? <PlanReview plan={plan} /> : error ? '' : <Spinner size="large" /> },
        ]}
      />
      {confirming && (
        <ConfirmSecret header="Back out" action={way === 'job' ? 'Take back' : 'Turn off rotation'} onDismiss={() => setConfirming(false)} onConfirmed={submit}>
          <span>{keysText(plan?.Changes.length ?? 0)} will be changed. Keys that are left without rotation do not pass the rotation control.</span>
        </ConfirmSecret>
      )}
    </SpaceBetween>
  );
}
