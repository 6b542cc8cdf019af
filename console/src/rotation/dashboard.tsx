// The rotation dashboard: which keys of the server rotate, which do not and why, and what comes
// next. The verdicts are those of `keyturn audit`.
import Alert from '@cloudscape-design/components/alert';
import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import PieChart from '@cloudscape-design/components/pie-chart';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useMemo } from 'react';
import { useNavigate } from 'react-router-dom';
import { get, type Key, type KeyList } from '../api';
import { useLoaded } from '../hooks';
import { ActionButton, ErrorAlert, keyName, Labelled, Moment, VerdictMark, verdictText } from '../parts';
import { useShell } from '../shell-context';
import { countByMonth, months } from './months';
import { keysText } from './parts';

const colors: Record<string, string> = {
  PASS: '#037f0c', FAIL: '#d91515', FAIL_PERIOD: '#ff9900', UNKNOWN: '#906806',
  EXCEPTED: '#0972d3', NOT_APPLICABLE: '#7d8998', SKIPPED: '#b6bec9',
};
const inScope = (key: Key) => key.KeyManager === 'CUSTOMER';
const needsAttention = (key: Key) => ['FAIL', 'FAIL_PERIOD', 'UNKNOWN'].includes(key.Verdict);

export default function Dashboard() {
  const navigate = useNavigate();
  const { chooseRegion } = useShell();
  const list = useLoaded(() => get<KeyList>('keys?regions=all'), []);
  const keys = useMemo(() => (list.data?.Keys ?? []).filter(inScope), [list.data]);
  if (list.error) {
    return (
      <ContentLayout header={<Header variant="h1">Rotation dashboard</Header>}>
        <ErrorAlert error={list.error} onRetry={() => void list.reload()} title="The keys could not be read" />
      </ContentLayout>
    );
  }
  const now = list.data?.Now ?? Date.now() / 1000;
  const attention = keys.filter(needsAttention);
  // Thirteen: a key that rotates every year from today is due in this month of the next.
  const next = countByMonth(keys.flatMap((key) => key.Rotation?.NextRotationDate ?? []), months(now, 0, 13));
  const done = countByMonth(keys.flatMap((key) => (key.Rotations ?? []).map((each) => each.RotationDate)), months(now, -11));
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key.Verdict, (counts.get(key.Verdict) ?? 0) + 1);
  const percent = list.data?.CompliancePercent;
  const status = list.loading ? 'loading' : 'finished';
  const barTexts = { loadingText: 'Counting', xTitle: 'Month', yTitle: 'Rotations', hideFilter: true, hideLegend: true, height: 180 };
  const top = (points: { y: number }[]) => Math.max(4, ...points.map(({ y }) => y));
  const openKey = (key: Key) => {
    chooseRegion(key.Region);
    navigate(`/kms/keys/${key.KeyId}/keyRotation`);
  };
  const remediable = keys.filter((key) => key.Remediable);
  const turnOnReason = list.data && remediable.length === 0
    ? 'Every key that must rotate does.'
    : remediable.length > 0 && remediable.every((key) => key.Denied?.includes('EnableKeyRotation'))
      ? 'You are not authorized to perform kms:EnableKeyRotation on any of these keys.'
      : undefined;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="All regions of this account. The verdicts are those of keyturn audit."
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={() => void list.reload()} />
              <Button href="#/kms/rotation/evidence" iconName="download">Evidence</Button>
              <ActionButton variant="primary" reason={turnOnReason} disabled={!list.data} onClick={() => navigate('/kms/rotation/enable')}>Turn on rotation</ActionButton>
            </SpaceBetween>
          }
        >
          Rotation dashboard
        </Header>
      }
    >
      <SpaceBetween size="l">
        {list.data && list.data.HiddenKeys > 0 && <Alert type="warning">{keysText(list.data.HiddenKeys)} of this account {list.data.HiddenKeys === 1 ? 'is' : 'are'} not yours to see and not counted.</Alert>}
        <Container header={<Header variant="h2">Compliance</Header>}>
          <ColumnLayout columns={4} variant="text-grid" minColumnWidth={140}>
            <Labelled label="Compliant keys"><Box fontSize="display-l" fontWeight="bold">{percent === undefined ? '-' : `${Math.floor(percent * 10) / 10}%`}</Box></Labelled>
            <Labelled label="Customer-managed keys"><Box fontSize="display-l"><Link href="#/kms/keys" fontSize="display-l">{keys.length}</Link></Box></Labelled>
            <Labelled label="Rotation off"><Box fontSize="display-l"><Link href="#/kms/keys?verdict=FAIL" fontSize="display-l">{counts.get('FAIL') ?? 0}</Link></Box></Labelled>
            <Labelled label="Unknown"><Box fontSize="display-l"><Link href="#/kms/keys?verdict=UNKNOWN" fontSize="display-l">{counts.get('UNKNOWN') ?? 0}</Link></Box></Labelled>
          </ColumnLayout>
        </Container>
        <ColumnLayout columns={2} minColumnWidth={320}>
          <Container header={<Header variant="h2">Keys by verdict</Header>} fitHeight>
            <PieChart
              variant="donut"
              size="small"
              data={[...counts].map(([verdict, value]) => ({ title: verdictText(verdict), value, color: colors[verdict] ?? '#7d8998' }))}
              innerMetricValue={String(keys.length)}
              innerMetricDescription="keys"
              ariaLabel="Keys by verdict"
              hideFilter
              hideTitles
              statusType={status}
              loadingText="Counting"
              empty={<Box textAlign="center">No keys</Box>}
              segmentDescription={(datum, sum) => `${keysText(datum.value)}, ${((datum.value / sum) * 100).toFixed(0)}%`}
            />
          </Container>
          <Container header={<Header variant="h2">Next rotations</Header>} fitHeight>
            <BarChart {...barTexts} statusType={status} ariaLabel="Next rotations by month" series={[{ title: 'Rotations due', type: 'bar', data: next, color: '#0972d3' }]} xDomain={next.map(({ x }) => x)} yDomain={[0, top(next)]} empty={<Box textAlign="center">None</Box>} />
          </Container>
        </ColumnLayout>
        <Table
          header={<Header variant="h2" counter={list.data ? `(${attention.length})` : ''}>Keys that need attention</Header>}
          loading={list.loading}
          loadingText="Judging keys"
          items={attention.slice(0, 100)}
          wrapLines
          columnDefinitions={[
            { id: 'key', header: 'Key', isRowHeader: true, cell: (key) => <Link href={`#/kms/keys/${key.KeyId}/keyRotation`} onFollow={(event) => { event.preventDefault(); openKey(key); }}>{keyName(key)}</Link> },
            { id: 'region', header: 'Region', minWidth: 120, cell: (key) => key.Region },
            { id: 'verdict', header: 'Verdict', minWidth: 160, cell: (key) => <VerdictMark verdict={key.Verdict} /> },
            { id: 'reason', header: 'Reason', cell: (key) => key.Reason },
            { id: 'next', header: 'Next rotation', minWidth: 120, cell: (key) => <Moment seconds={key.Rotation?.NextRotationDate} /> },
          ]}
          empty={<Box textAlign="center">Every key that must rotate does.</Box>}
          variant="container"
          footer={attention.length > 100 && <Box textAlign="center"><Link href="#/kms/keys?verdict=FAIL">{attention.length - 100} more</Link></Box>}
        />
        <Container header={<Header variant="h2" actions={<Button href="#/kms/rotation/history">History</Button>}>Rotations done</Header>}>
          <BarChart {...barTexts} statusType={status} ariaLabel="Rotations done by month" series={[{ title: 'Rotations done', type: 'bar', data: done, color: '#037f0c' }]} xDomain={done.map(({ x }) => x)} yDomain={[0, top(done)]} empty={<Box textAlign="center">None</Box>} />
        </Container>
      </SpaceBetween>
    </ContentLayout>
  );
}
