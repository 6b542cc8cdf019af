// Imported key material: parameters to wrap it with elsewhere, and its import. The material itself
// is never typed here: only its wrapped form passes.
import Container from '@cloudscape-design/components/container';
import DateInput from '@cloudscape-design/components/date-input';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { call, type ApiError } from '../api';
import type { May } from '../hooks';
import { ActionButton, ErrorAlert, Moment } from '../parts';
import { useShell } from '../shell-context';
import { ConfirmSecret } from './confirm-secret';
import type { KeyMetadata } from './metadata';

const algorithms = ['RSAES_OAEP_SHA_256', 'RSAES_OAEP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_1'];
const specs = ['RSA_4096', 'RSA_3072', 'RSA_2048'];
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function toBase64(file: File) {
  let binary = '';
  for (const byte of new Uint8Array(await file.arrayBuffer())) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function downloadBytes(name: string, base64: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([fromBase64(base64)], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
}

export function ImportTab({ metadata, may, onChanged }: { metadata: KeyMetadata; may: May; onChanged: () => void }) {
  const { notify } = useShell();
  const [algorithm, setAlgorithm] = useState(algorithms[0]!);
  const [spec, setSpec] = useState(specs[0]!);
  const [token, setToken] = useState('');
  const [files, setFiles] = useState<File[]>([]);
  const [expires, setExpires] = useState('');
  const [deleting, setDeleting] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();

  const wrongDate = expires && !(Date.parse(`${expires}T00:00:00Z`) > Date.now()) ? 'Enter a day in the future, as YYYY-MM-DD.' : '';

  async function run(action: () => Promise<void>) {
    setBusy(true);
    setError(undefined);
    try {
      await action();
    } catch (problem) {
      setError(problem as ApiError);
    } finally {
      setBusy(false);
    }
  }
  const fetchParameters = () =>
    run(async () => {
      const answer = await call('GetParametersForImport', { KeyId: metadata.KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: spec });
      downloadBytes(`wrapping-key-${metadata.KeyId}.der`, answer.PublicKey);
      setToken(answer.ImportToken);
    });
  const importMaterial = () =>
    run(async () => {
      await call('ImportKeyMaterial', {
        KeyId: metadata.KeyId,
        ImportToken: token,
        EncryptedKeyMaterial: await toBase64(files[0]!),
        ...(expires
          ? { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: Date.parse(`${expires}T00:00:00Z`) / 1000 }
          : { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }),
        ...(metadata.KeyState !== 'PendingImport' && { ImportType: 'NEW_KEY_MATERIAL' }),
      });
      setFiles([]);
      setToken('');
      setExpires('');
      notify('success', 'The key material is imported.');
      onChanged();
    });

  return (
    <SpaceBetween size="l">
      {error && <ErrorAlert error={error} title="Nothing was imported" />}
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <ActionButton reason={may('DeleteImportedKeyMaterial') ?? (metadata.KeyState === 'PendingImport' ? 'There is no key material.' : undefined)} onClick={() => setDeleting(true)}>
                Delete key material
              </ActionButton>
            }
          >
            Key material
          </Header>
        }
      >
        <KeyValuePairs
          columns={2}
          items={[
            { label: 'State', value: metadata.KeyState === 'PendingImport' ? 'Waiting for import' : 'Imported' },
            { label: 'Expires', value: metadata.ValidTo ? <Moment seconds={metadata.ValidTo} withTime /> : 'Never' },
          ]}
        />
      </Container>
      <Container header={<Header variant="h2">Import key material</Header>}>
        <SpaceBetween size="m">
          <FormField label="1. Wrapping key and algorithm" description="Downloads a public key, good for 24 hours, to wrap the material with where it is.">
            <SpaceBetween direction="horizontal" size="xs">
              <Select selectedOption={{ value: spec }} options={specs.map((value) => ({ value }))} onChange={({ detail }) => setSpec(detail.selectedOption.value!)} ariaLabel="Wrapping key spec" />
              <Select selectedOption={{ value: algorithm }} options={algorithms.map((value) => ({ value }))} onChange={({ detail }) => setAlgorithm(detail.selectedOption.value!)} ariaLabel="Wrapping algorithm" />
              <ActionButton reason={may('GetParametersForImport')} loading={busy} onClick={() => void fetchParameters()}>Download wrapping key</ActionButton>
            </SpaceBetween>
          </FormField>
          <FormField label="2. Wrapped key material" description="The wrapped material as a file.">
            <FileUpload
              value={files}
              onChange={({ detail }) => setFiles(detail.value)}
              i18nStrings={{ uploadButtonText: () => 'Choose file', dropzoneText: () => 'Drop file', removeFileAriaLabel: () => 'Remove file', limitShowFewer: 'Show fewer', limitShowMore: 'Show more', errorIconAriaLabel: 'Error' }}
            />
          </FormField>
          <FormField label="3. Expires on - optional" description="At that day's beginning in UTC the material is deleted; import it again to go on." errorText={wrongDate}>
            <DateInput value={expires} onChange={({ detail }) => setExpires(detail.value)} placeholder="YYYY-MM-DD" format="iso" inputFormat="iso" />
          </FormField>
          <ActionButton
            variant="primary"
            reason={may('ImportKeyMaterial') ?? (!token ? 'Download the wrapping key first.' : files.length === 0 ? 'Choose the wrapped key material.' : wrongDate || undefined)}
            loading={busy}
            onClick={() => void importMaterial()}
          >
            Import key material
          </ActionButton>
        </SpaceBetween>
      </Container>
      {deleting && (
        <ConfirmSecret
          header="Delete key material"
          action="Delete"
          onDismiss={() => setDeleting(false)}
          onConfirmed={async () => {
            await run(async () => {
              await call('DeleteImportedKeyMaterial', { KeyId: metadata.KeyId });
              notify('success', 'The key material is deleted.');
            });
            setDeleting(false);
            onChanged();
          }}
        >
          <span>Nothing can be decrypted with this key until the same material is imported again.</span>
        </ConfirmSecret>
      )}
    </SpaceBetween>
  );
}
