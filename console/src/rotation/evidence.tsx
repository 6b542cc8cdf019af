// Evidence: the control's audit of this server, to keep and to print.
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { get, settingText, type ApiError, type KeyList } from '../api';
import { formatDateTime, useLoaded, utc } from '../hooks';
import { downloadText, ErrorAlert, keyName, verdictText } from '../parts';
import { useShell } from '../shell-context';

interface Evidence {
  RunId: string;
  Sha256: string;
  Text: string;
}

const formats = [
  { id: 'json', text: 'JSON', type: 'application/json' },
  { id: 'csv', text: 'CSV', type: 'text/csv' },
  { id: 'html', text: 'HTML report', type: 'text/html' },
];

export default function EvidencePage() {
  const { session } = useShell();
  const list = useLoaded(() => get<KeyList>('keys?regions=all'), []);
  const [busy, setBusy] = useState('');
  const [made, setMade] = useState<Evidence & { name: string }>();
  const [error, setError] = useState<ApiError>();
  const keys = list.data?.Keys ?? [];

  async function download(format: (typeof formats)[number]) {
    setBusy(format.id);
    setError(undefined);
    try {
      const evidence = await get<Evidence>(`evidence?format=${format.id}`);
      const name = `key-rotation-${session.Account}-${evidence.RunId}.${format.id}`;
      downloadText(name, format.type, evidence.Text);
      setMade({ ...evidence, name });
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy('');
    }
  }

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description="What keyturn audit would write about this server: every key of every region, its verdict and the reason."
          actions={
            <div className="no-print">
              <SpaceBetween direction="horizontal" size="xs">
                {formats.map((format) => (
                  <Button key={format.id} iconName="download" loading={busy === format.id} onClick={() => void download(format)}>{format.text}</Button>
                ))}
                <Button disabled={!list.data} onClick={() => print()}>Print</Button>
              </SpaceBetween>
            </div>
          }
        >
          Rotation evidence
        </Header>
      }
    >
      <SpaceBetween size="l">
        {error && <ErrorAlert error={error} title="The evidence could not be made" />}
        {list.error && <ErrorAlert error={list.error} onRetry={() => void list.reload()} title="The keys could not be read" />}
        {made && (
          <Alert type="success" header={made.name}>
            SHA-256 <span style={{ overflowWrap: 'anywhere' }}>{made.Sha256}</span>. It stands in the trail, which nobody can change unseen, in the record of this download (GetRotationEvidence).
          </Alert>
        )}
        <Container header={<Header variant="h2">Summary</Header>}>
          <KeyValuePairs
            columns={3}
            minColumnWidth={175}
            items={[
              { label: 'Account', value: session.Account },
              { label: 'Seen by', value: <span style={{ overflowWrap: 'anywhere' }}>{session.Arn}</span> },
              { label: 'As of', value: list.data ? `${formatDateTime(list.data.Now)} (${utc(list.data.Now)})` : '-' },
              { label: 'Compliant keys', value: list.data?.CompliancePercent === undefined ? '-' : `${Math.floor(list.data.CompliancePercent * 10) / 10}%` },
              { label: 'Keys', value: list.data ? String(keys.length) : '-' },
              { label: 'Not yours to see', value: list.data ? String(list.data.HiddenKeys) : '-' },
            ]}
          />
        </Container>
        <Container header={<Header variant="h2" counter={list.data ? `(${keys.length})` : ''}>Keys</Header>}>
          {list.loading ? (
            <Box>Loading keys</Box>
          ) : (
            <div className="evidence-frame" tabIndex={0} role="region" aria-label="Keys">
              <table className="evidence">
                <thead>
                  <tr><th scope="col">Key</th><th scope="col">Region</th><th scope="col">Key spec</th><th scope="col">Status</th><th scope="col">Rotation</th><th scope="col">Next</th><th scope="col">Verdict</th><th scope="col">Reason</th></tr>
                </thead>
                <tbody>
                  {keys.slice(0, shownMax).map((key) => (
                    <tr key={key.Arn}>
                      <th scope="row">{keyName(key)}</th>
                      <td>{key.Region}</td>
                      <td>{key.KeySpec}</td>
                      <td>{key.KeyState}</td>
                      <td>{key.Rotation ? settingText(key.Rotation) : '-'}</td>
                      <td>{key.Rotation?.NextRotationDate ? utc(key.Rotation.NextRotationDate).slice(0, 10) : '-'}</td>
                      <td>{verdictText(key.Verdict)}</td>
                      <td>{key.Reason}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {keys.length > shownMax && <Box padding="s">{keys.length - shownMax} more: the downloads have them all.</Box>}
            </div>
          )}
        </Container>
      </SpaceBetween>
    </ContentLayout>
  );
}

// A page that a browser can print.
const shownMax = 2000;
