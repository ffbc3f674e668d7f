import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Ajv2020, { type AnySchema } from 'ajv/dist/2020';
import { templateOf, TEMPLATES_FILE, type ModelTemplate } from '../../lib/tasmota/templates';
import { MODULES } from '../../lib/virtual/tasmota/modules';

describe('tasmota: templates of Tasmota', () => {
  const schema = JSON.parse(
    readFileSync(join(dirname(TEMPLATES_FILE), 'tasmota-templates.schema.json'), 'utf8'),
  ) as AnySchema;
  const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }).compile(
    schema,
  );
  const file = JSON.parse(readFileSync(TEMPLATES_FILE, 'utf8')) as { models: ModelTemplate[] };

  it('keeps to its schema', () => {
    assert.ok(validate(file), JSON.stringify(validate.errors, null, 2));
  });

  it('would be caught by the schema for each kind of slip', () => {
    const sure = file.models.find(({ module }) => module) as ModelTemplate;
    const unsure = file.models.find(({ module }) => !module) as ModelTemplate;
    const slips: unknown[] = [
      { ...sure, model: 'Sonoff Basic' },
      { ...sure, sources: [] },
      { ...sure, sources: ['somebody said'] },
      { ...sure, module: { number: 0, name: 'template' } },
      { ...sure, candidates: unsure.candidates },
      { ...unsure, candidates: [] },
      { ...sure, colour: 'white' },
    ];
    for (const slip of slips) assert.ok(!validate({ ...file, models: [slip] }), `it takes ${JSON.stringify(slip)}`);
  });

  it('names each model once, and each module as Tasmota does', () => {
    const models = file.models.map(({ model }) => model);
    assert.deepEqual(models, [...new Set(models)]);
    const modules = file.models.flatMap(({ module, candidates }) => (module ? [module] : candidates));
    for (const { number, name } of modules) assert.equal(MODULES[number], name);
  });

  it('knows the one-relay devices for sure, and no more than that of those with several', () => {
    assert.equal(templateOf('ITA-GZ1-GL')?.module?.number, 1);
    assert.equal(templateOf('PSA-BHA-GL')?.module?.number, 4);
    assert.equal(templateOf('PSF-B04-GL')?.module, null);
    assert.equal(templateOf('PSX-B01-GL'), undefined);
    assert.equal(templateOf(undefined), undefined);
  });
});
