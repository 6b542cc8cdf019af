// KeyMetadata as DescribeKey answers it, as far as the console reads it.
export interface MultiRegionKey {
  Arn: string;
  Region: string;
}

export interface KeyMetadata {
  KeyId: string;
  Arn: string;
  AWSAccountId: string;
  CreationDate: number;
  DeletionDate?: number;
  Description: string;
  KeyManager: 'AWS' | 'CUSTOMER';
  KeySpec: string;
  KeyState: string;
  KeyUsage: string;
  Origin: string;
  ValidTo?: number;
  ExpirationModel?: string;
  MultiRegion: boolean;
  MultiRegionConfiguration?: { MultiRegionKeyType: 'PRIMARY' | 'REPLICA'; PrimaryKey: MultiRegionKey; ReplicaKeys: MultiRegionKey[] };
  EncryptionAlgorithms?: string[];
  SigningAlgorithms?: string[];
  MacAlgorithms?: string[];
  KeyAgreementAlgorithms?: string[];
  CurrentKeyMaterialId?: string;
}

export const isSymmetric = (key: KeyMetadata) => key.KeySpec === 'SYMMETRIC_DEFAULT';
export const hasPublicKey = (key: KeyMetadata) => !isSymmetric(key) && !key.KeySpec.startsWith('HMAC_');
