// Turn on rotation for many keys: choose, say how often and why, review, and let the server do it.
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Textarea from '@cloudscape-design/components/textarea';
import Wizard from '@cloudscape-design/components/wizard';
import { useEffect, useMemo, useState } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { get, post, type ApiError, type Job, type JobPlan, type Key, type KeyList } from '../api';
import { useLoaded } from '../hooks';
import { ErrorAlert } from '../parts';
import { keysText, KeyPicker, PlanReview } from './parts';

// canRotate: keys that have a setting of their own to change.
const canRotate = (key: Key) => key.KeyManager === 'CUSTOMER' && key.KeyState === 'Enabled' && key.Rotation !== undefined && key.MultiRegionKeyType !== 'REPLICA';
const needsRotation = (key: Key) => canRotate(key) && (key.Verdict === 'FAIL' || key.Verdict === 'FAIL_PERIOD');

export default function EnableRotation() {
  const navigate = useNavigate();
  const { state } = useLocation();
  const asked = (state as { arns?: string[] } | null)?.arns;
  const list = useLoaded(() => get<KeyList>('keys?regions=all'), []);
  const [which, setWhich] = useState(asked ? 'all' : 'needed');
  const [selected, setSelected] = useState<Key[]>([]);
  const [step, setStep] = useState(0);
  const [period, setPeriod] = useState('365');
  const [justification, setJustification] = useState('');
  const [tried, setTried] = useState(false);
  const [plan, setPlan] = useState<JobPlan>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const keys = useMemo(() => (list.data?.Keys ?? []).filter(which === 'needed' ? needsRotation : canRotate), [list.data, which]);
  useEffect(() => {
    if (!list.data) return;
    // What infrastructure code owns is changed there; who chose it by hand knows.
    const chosen = asked ? (key: Key) => asked.includes(key.Arn) && canRotate(key) : (key: Key) => needsRotation(key) && !key.CodeOwner;
    setSelected(list.data.Keys.filter((key) => chosen(key) && !key.Denied?.includes('EnableKeyRotation')));
  }, [list.data]);
  const wrongPeriod = /^\d+$/.test(period) && Number(period) >= 90 && Number(period) <= 2560 ? '' : 'Enter a number of days from 90 to 2560.';
  const request = () => ({ Enabled: true, PeriodInDays: Number(period), Justification: justification.trim(), Keys: selected.map((key) => key.Arn) });

  async function review() {
    setPlan(undefined);
    setError(undefined);
    try {
      setPlan(await post<JobPlan>('jobs', { ...request(), DryRun: true }));
    } catch (problem) {
      setError(problem as ApiError);
    }
  }
  const go = (to: number) => {
    setTried(true);
    if ((to > 0 && selected.length === 0) || (to > 1 && wrongPeriod)) return;
    setTried(false);
    setStep(to);
    if (to === 2) void review();
  };
  async function submit() {
    setBusy(true);
    try {
      const job = await post<Job>('jobs', request());
      navigate(`/kms/rotation/jobs/${job.JobId}`);
    } catch (problem) {
      setError(problem as ApiError);
      setBusy(false);
    }
  }

  return (
    <SpaceBetween size="l">
      {list.error && <ErrorAlert error={list.error} onRetry={() => void list.reload()} title="The keys could not be read" />}
      {error && <ErrorAlert error={error} onRetry={step === 2 ? () => void review() : undefined} title={plan ? 'The job was not made' : 'The review could not be made'} />}
      <Wizard
        activeStepIndex={step}
        isLoadingNextStep={busy || (step === 2 && !plan && !error)}
        onNavigate={({ detail }) => go(detail.requestedStepIndex)}
        onCancel={() => navigate('/kms/rotation')}
        onSubmit={() => plan && plan.Changes.length > 0 && void submit()}
        submitButtonText="Turn on rotation"
        steps={[
          {
            title: 'Choose keys',
            description: 'The server turns rotation on, key by key, with your rights, and reads each key back.',
            errorText: tried && selected.length === 0 ? 'Choose at least one key.' : undefined,
            content: (
              <SpaceBetween size="m">
                <SegmentedControl
                  label="Which keys"
                  selectedId={which}
                  onChange={({ detail }) => setWhich(detail.selectedId)}
                  options={[{ id: 'needed', text: 'Not compliant' }, { id: 'all', text: 'All that can rotate' }]}
                />
                <KeyPicker
                  keys={keys}
                  operation="EnableKeyRotation"
                  selected={selected}
                  onSelect={setSelected}
                  loading={list.loading}
                  empty={which === 'needed' ? 'Every key that must rotate does.' : 'No key can rotate automatically.'}
                />
              </SpaceBetween>
            ),
          },
          {
            title: 'Period and justification',
            content: (
              <Container header={<Header variant="h2">{keysText(selected.length)}</Header>}>
                <SpaceBetween size="l">
                  <FormField label="Rotation period (in days)" constraintText="From 90 to 2560; a year is 365." errorText={wrongPeriod}>
                    <Input value={period} onChange={({ detail }) => setPeriod(detail.value)} inputMode="numeric" />
                  </FormField>
                  <FormField label="Justification - optional" description="Goes into the trail's record of every change.">
                    <Textarea value={justification} onChange={({ detail }) => setJustification(detail.value)} rows={3} />
                  </FormField>
                </SpaceBetween>
              </Container>
            ),
          },
          { title: 'Review', content: plan ? <PlanReview plan={plan} /> : error ? '' : <Spinner size="large" /> },
        ]}
      />
    </SpaceBetween>
  );
}
