// The part of OSCAL 1.1.2's assessment results that reports use, as a JSON schema. NIST's own
// schema is in no package registry; the names, what is required, the patterns and the closed
// lists here are facts of NIST's reference:
// https://pages.nist.gov/OSCAL-Reference/models/v1.1.2/assessment-results/json-reference/
// What the reference allows and reports do not use is left out, so it fails here.
const uuid = { type: 'string',
  pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$' };
const text = { type: 'string', pattern: '^\\S(.*\\S)?$' };
// The reference allows letters and digits of every script; reports use those of ASCII.
const token = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9.\\-_]*$' };
// A time zone is mandatory: "date-time-with-timezone".
const time = { type: 'string', format: 'date-time', pattern: 'Z$' };
const object = (required, properties) => (
  { type: 'object', additionalProperties: false, required, properties });
const list = (items) => ({ type: 'array', minItems: 1, items });

const props = list(object(['name', 'value'], { name: token, value: text }));
const controlSelections = list(object([],
  { 'include-controls': list(object(['control-id'], { 'control-id': token })) }));
const observation = object(['uuid', 'description', 'methods', 'collected'], {
  uuid,
  title: text,
  description: text,
  props,
  methods: list({ enum: ['EXAMINE', 'INTERVIEW', 'TEST', 'UNKNOWN'] }),
  subjects: list(object(['subject-uuid', 'type'], {
    'subject-uuid': uuid,
    type: { enum: ['component', 'inventory-item', 'location', 'party', 'user', 'resource'] },
  })),
  collected: time,
});
const risk = object(['uuid', 'title', 'description', 'statement', 'status'], {
  uuid,
  title: text,
  description: text,
  statement: text,
  status: { enum: ['open', 'investigating', 'remediating', 'deviation-requested',
    'deviation-approved', 'closed'] },
  remediations: list(object(['uuid', 'lifecycle', 'title', 'description'], {
    uuid,
    lifecycle: { enum: ['recommendation', 'planned', 'completed'] },
    title: text,
    description: text,
  })),
  'related-observations': list(object(['observation-uuid'], { 'observation-uuid': uuid })),
});
const finding = object(['uuid', 'title', 'description', 'target'], {
  uuid,
  title: text,
  description: text,
  props,
  target: object(['type', 'target-id', 'status'], {
    type: { enum: ['statement-id', 'objective-id'] },
    'target-id': token,
    status: object(['state'], {
      state: { enum: ['satisfied', 'not-satisfied'] },
      reason: { enum: ['pass', 'fail', 'other'] },
    }),
  }),
  'related-observations': list(object(['observation-uuid'], { 'observation-uuid': uuid })),
  'related-risks': list(object(['risk-uuid'], { 'risk-uuid': uuid })),
});
const result = object(['uuid', 'title', 'description', 'start', 'reviewed-controls'], {
  uuid,
  title: text,
  description: text,
  start: time,
  end: time,
  props,
  'local-definitions': object([],
    { 'inventory-items': list(object(['uuid', 'description'], { uuid, description: text, props })) }),
  'reviewed-controls': object(['control-selections'],
    { description: text, 'control-selections': controlSelections }),
  observations: list(observation),
  risks: list(risk),
  findings: list(finding),
});

export const oscalSchema = object(['assessment-results'], {
  'assessment-results': object(['uuid', 'metadata', 'import-ap', 'results'], {
    uuid,
    metadata: object(['title', 'last-modified', 'version', 'oscal-version'],
      { title: text, 'last-modified': time, version: text, 'oscal-version': { const: '1.1.2' }, props }),
    'import-ap': object(['href'], { href: { type: 'string', format: 'uri-reference' } }),
    results: list(result),
    'back-matter': object([],
      { resources: list(object(['uuid'], { uuid, title: text, description: text })) }),
  }),
});
