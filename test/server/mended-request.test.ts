import assert from 'node:assert/strict';
import { bodyBehind, headWithoutSlash } from '../../lib/server/mended-request';

describe('server/mended-request', () => {
  const head = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);

  it('reads the head of a GET whose target has no leading slash', () => {
    const raw = head(
      'GET ota/1.bin?a=1 HTTP/1.0',
      'Range: bytes=0-4095 ',
      'X-Empty:',
      'no field',
      'HOST:  192.168.1.5 ',
    );
    assert.deepEqual(headWithoutSlash(raw), {
      ...{ method: 'GET', url: 'ota/1.bin?a=1', httpVersion: '1.0' },
      headers: { range: 'bytes=0-4095', 'x-empty': '', host: '192.168.1.5' },
    });
    assert.equal(headWithoutSlash(head('GET x HTTP/1.1'))?.httpVersion, '1.1');
  });

  for (const [what, raw] of [
    ['nothing', undefined],
    ['half a head', Buffer.from('GET ota/1.bin HTTP/1.1\r\nRange: bytes=0-')],
    ['a target with a slash', head('GET /ota/1.bin HTTP/1.1')],
    ['another method', head('HEAD ota/1.bin HTTP/1.1')],
    ['another version', head('GET ota/1.bin HTTP/2.0')],
    ['a target with a space', head('GET ota 1.bin HTTP/1.1')],
    ['what is behind a first line', head('X', 'GET ota/1.bin HTTP/1.1')],
  ] as const) {
    it(`reads no such head in ${what}`, () => assert.equal(headWithoutSlash(raw), undefined));
  }

  it('finds the body behind a head that announced none, with the head in one piece or without', () => {
    const body = '{"error":0,"text":"é"}';
    assert.equal(bodyBehind(Buffer.from(`POST /unlock HTTP/1.1\r\nHost: x\r\n\r\n${body}`)), body);
    assert.equal(bodyBehind(Buffer.from(body)), body);
    assert.equal(bodyBehind(undefined), '');
  });
});
