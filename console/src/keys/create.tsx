// Create key: what it is, what it is called, review. Rotation is on unless it is unchecked.
import Alert from '@cloudscape-design/components/alert';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import Wizard from '@cloudscape-design/components/wizard';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { call, type ApiError } from '../api';
import { usePermissions } from '../hooks';
import { ErrorAlert, originText } from '../parts';
import { useShell } from '../shell-context';

const rsa = ['RSA_2048', 'RSA_3072', 'RSA_4096'];
const ecc = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1'];
const specsOf: Record<string, string[]> = {
  ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT', ...rsa],
  SIGN_VERIFY: [...rsa, ...ecc],
  GENERATE_VERIFY_MAC: ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'],
  KEY_AGREEMENT: ecc.slice(0, 3),
};
const usageText: Record<string, { label: string; description: string }> = {
  ENCRYPT_DECRYPT: { label: 'Encrypt and decrypt', description: 'Use the key only to encrypt and decrypt data.' },
  SIGN_VERIFY: { label: 'Sign and verify', description: 'Key pairs for digital signing.' },
  GENERATE_VERIFY_MAC: { label: 'Generate and verify MAC', description: 'Use the key only to generate and verify hash-based message authentication codes.' },
  KEY_AGREEMENT: { label: 'Key agreement', description: 'Key pairs for deriving shared secrets.' },
};

export default function CreateKey() {
  const { region, notify } = useShell();
  const navigate = useNavigate();
  const may = usePermissions('', region);
  const [step, setStep] = useState(0);
  const [usage, setUsage] = useState('ENCRYPT_DECRYPT');
  const [spec, setSpec] = useState('SYMMETRIC_DEFAULT');
  const [origin, setOrigin] = useState('AWS_KMS');
  const [multiRegion, setMultiRegion] = useState(false);
  const [alias, setAlias] = useState('');
  const [description, setDescription] = useState('');
  const [rotate, setRotate] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const canRotate = spec === 'SYMMETRIC_DEFAULT' && origin === 'AWS_KMS';
  const wrongAlias = alias !== '' && !/^[A-Za-z0-9/_-]{1,250}$/.test(alias) ? 'Use letters, digits, / _ and -.' : '';

  async function create() {
    setBusy(true);
    setError(undefined);
    let keyId = '';
    try {
      const made = await call('CreateKey', { KeyUsage: usage, KeySpec: spec, Origin: origin, MultiRegion: multiRegion, Description: description });
      keyId = made.KeyMetadata.KeyId;
      if (alias) await call('CreateAlias', { AliasName: `alias/${alias}`, TargetKeyId: keyId });
      if (canRotate && rotate) await call('EnableKeyRotation', { KeyId: keyId });
      navigate(`/kms/keys/${keyId}`);
      notify('success', `The key ${keyId} is created.`);
    } catch (problem) {
      const told = problem as ApiError;
      if (keyId) {
        // The key is there: what is missing can be done on its own page.
        notify('error', `The key is created, but not all that you asked for was done: ${told.message} Request ID: ${told.requestId}`);
        navigate(`/kms/keys/${keyId}`);
        return;
      }
      setError(told);
      setBusy(false);
    }
  }

  const denied = may('CreateKey');
  return (
    <SpaceBetween size="l">
      {denied && <Alert type="warning">{denied}</Alert>}
      {error && <ErrorAlert error={error} title="The key was not created" />}
      <Wizard
        activeStepIndex={step}
        isLoadingNextStep={busy}
        onNavigate={({ detail }) => !(step === 1 && wrongAlias && detail.requestedStepIndex > 1) && setStep(detail.requestedStepIndex)}
        onCancel={() => navigate('/kms/keys')}
        onSubmit={() => denied === undefined && void create()}
        submitButtonText="Create key"
        steps={[
          {
            title: 'Configure key',
            content: (
              <Container header={<Header variant="h2">Key</Header>}>
                <SpaceBetween size="l">
                  <FormField label="Key usage">
                    <RadioGroup
                      value={usage}
                      onChange={({ detail }) => {
                        setUsage(detail.value);
                        setSpec(specsOf[detail.value]![0]!);
                      }}
                      items={Object.entries(usageText).map(([value, text]) => ({ value, ...text }))}
                    />
                  </FormField>
                  <FormField label="Key spec">
                    <Select selectedOption={{ value: spec }} options={specsOf[usage]!.map((value) => ({ value }))} onChange={({ detail }) => setSpec(detail.selectedOption.value!)} />
                  </FormField>
                  <FormField label="Key material origin">
                    <RadioGroup
                      value={origin}
                      onChange={({ detail }) => setOrigin(detail.value)}
                      items={[
                        { value: 'AWS_KMS', label: 'KMS - recommended', description: 'This server makes the key material.' },
                        { value: 'EXTERNAL', label: originText.EXTERNAL!, description: 'You import it afterwards.' },
                      ]}
                    />
                  </FormField>
                  <FormField label="Regionality">
                    <RadioGroup
                      value={multiRegion ? 'multi' : 'single'}
                      onChange={({ detail }) => setMultiRegion(detail.value === 'multi')}
                      items={[
                        { value: 'single', label: 'Single-Region key' },
                        { value: 'multi', label: 'Multi-Region key', description: 'Can be replicated to other regions.' },
                      ]}
                    />
                  </FormField>
                </SpaceBetween>
              </Container>
            ),
          },
          {
            title: 'Add labels and rotation',
            content: (
              <SpaceBetween size="l">
                <Container header={<Header variant="h2">Labels</Header>}>
                  <SpaceBetween size="l">
                    <FormField label="Alias - optional" constraintText="Without alias/." errorText={wrongAlias}>
                      <Input value={alias} onChange={({ detail }) => setAlias(detail.value)} />
                    </FormField>
                    <FormField label="Description - optional">
                      <Textarea value={description} onChange={({ detail }) => setDescription(detail.value)} />
                    </FormField>
                  </SpaceBetween>
                </Container>
                <Container header={<Header variant="h2">Key rotation</Header>}>
                  <Checkbox
                    checked={canRotate && rotate}
                    disabled={!canRotate}
                    onChange={({ detail }) => setRotate(detail.checked)}
                    description={canRotate ? 'New key material every 365 days. Old material is kept, so everything encrypted before still decrypts.' : 'Only symmetric encryption keys whose material this server makes rotate automatically.'}
                  >
                    Automatically rotate this KMS key every year
                  </Checkbox>
                </Container>
              </SpaceBetween>
            ),
          },
          {
            title: 'Review and create',
            errorText: denied,
            content: (
              <Container header={<Header variant="h2">Review</Header>}>
                <KeyValuePairs
                  columns={2}
            minColumnWidth={175}
                  items={[
                    { label: 'Key usage', value: usageText[usage]!.label },
                    { label: 'Key spec', value: spec },
                    { label: 'Origin', value: originText[origin] },
                    { label: 'Regionality', value: multiRegion ? 'Multi-Region (primary)' : 'Single Region' },
                    { label: 'Alias', value: alias || '-' },
                    { label: 'Description', value: description || '-' },
                    { label: 'Automatic rotation', value: canRotate ? (rotate ? 'Every 365 days' : 'Off') : 'Not available' },
                    { label: 'Key policy', value: 'Default: identity policies of this account decide' },
                  ]}
                />
              </Container>
            ),
          },
        ]}
      />
    </SpaceBetween>
  );
}
