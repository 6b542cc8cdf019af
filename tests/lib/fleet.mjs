// Fills a server with a fleet: about 200 keys of every kind that it can make. Prints what it made as
// JSON. Endpoint, credentials and region come from the environment, as `keyturn env` prints them.
import * as kms from '@aws-sdk/client-kms';

const regions = (process.argv[2] ?? 'us-east-1,eu-central-1').split(',');
const perRegion = Number(process.argv[3] ?? 98);

const kinds = [
  { name: 'rotation off', share: 40, make: async () => {} },
  { name: 'rotation on', share: 20, make: (c, KeyId) =>
    c.send(new kms.EnableKeyRotationCommand({ KeyId })) },
  { name: 'rotation on, 90 days', share: 8, make: (c, KeyId) =>
    c.send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 })) },
  { name: 'rotation on, 730 days', share: 10, make: (c, KeyId) =>
    c.send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 730 })) },
  { name: 'disabled', share: 6, make: (c, KeyId) => c.send(new kms.DisableKeyCommand({ KeyId })) },
  { name: 'disabled, rotation on', share: 4, make: async (c, KeyId) => {
    await c.send(new kms.EnableKeyRotationCommand({ KeyId }));
    await c.send(new kms.DisableKeyCommand({ KeyId }));
  } },
  { name: 'pending deletion', share: 6, make: (c, KeyId) =>
    c.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 })) },
  { name: 'multi-Region, rotation off', share: 4, input: { MultiRegion: true },
    make: async () => {} },
];

const made = {};
for (const region of regions) {
  const client = new kms.KMSClient({ region });
  const jobs = [];
  const total = kinds.reduce((sum, kind) => sum + kind.share, 0);
  for (const kind of kinds) {
    const count = Math.round((perRegion * kind.share) / total);
    for (let i = 0; i < count; i += 1) jobs.push({ kind, i });
  }
  const work = async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) {
      const { kind, i } = job;
      const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({ ...kind.input,
        Description: `fleet: ${kind.name}`, Tags: [{ TagKey: 'fleet', TagValue: kind.name }] }));
      const { KeyId } = KeyMetadata;
      if (i % 3 === 0) {
        const AliasName = `alias/fleet/${kind.name.replace(/[^a-z0-9]+/gi, '-')}-${i}`;
        await client.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
      }
      await kind.make(client, KeyId);
      (made[kind.name] ??= []).push({ region, KeyId, Arn: KeyMetadata.Arn });
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}
console.log(JSON.stringify(made));
