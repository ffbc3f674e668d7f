import assert from 'node:assert/strict';
import { refusalOf } from '../../lib/protocol/acknowledgements';

describe('protocol/acknowledgements', () => {
  it('knows each refusal by its number, and takes no other number for one', () => {
    const numbers = [0, -1, 1, 200, 400, 401, 403, 404, 405, 406, 409, 410, 411, 500];
    assert.deepEqual(Object.fromEntries(numbers.map((number) => [number, refusalOf(number)])), {
      0: undefined,
      [-1]: undefined,
      1: undefined,
      200: undefined,
      400: 'upgrade-malformed',
      401: undefined,
      403: 'upgrade-malformed',
      404: 'download-failed',
      405: 'upgrade-malformed',
      406: 'model-refused',
      409: 'digest-refused',
      410: 'version-refused',
      411: 'model-refused',
      500: undefined,
    });
  });
});
