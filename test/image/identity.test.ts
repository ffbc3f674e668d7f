import assert from 'node:assert/strict';
import { examine, identify, makeFinalImage, makeUserImage, type EbootGeneration, type Identity } from '../../lib/image';

/** The marks of a Tasmota with its version between them, on a word as the compiler puts it. */
function tasmotaVersion(word: string): string {
  return Buffer.from(`a55aa55a${word}5aa55aa5`, 'hex').toString('latin1');
}

describe('image/identity', () => {
  const cases: [text: string, expected: Identity][] = [
    ['', { project: 'unknown' }],
    ['tasmota', { project: 'unknown' }],
    ["<a href='https://bit.ly/tasmota'>%s %s by Theo Arends</a>", { project: 'tasmota' }],
    ['http://ota.tasmota.com/tasmota/release/tasmota-lite.bin.gz', { project: 'tasmota' }],
    ['http://sonoff.maddox.co.uk/tasmota/sonoff.bin', { project: 'tasmota' }],
    [`${tasmotaVersion('00000508')}by Theo Arends`, { project: 'tasmota', version: '8.5.0' }],
    [`${tasmotaVersion('0300050c')}by Theo Arends`, { project: 'tasmota', version: '12.5.0.3' }],
    [`${tasmotaVersion('ffffffff')}by Theo Arends`, { project: 'tasmota' }],
    ['\xa5\x5a\xa5\x5aTheo Arends', { project: 'tasmota' }],
    ['Theo Arends\0\0lite\0\0\0', { project: 'tasmota', variant: 'lite' }],
    ['Theo Arends\0(release-sensors)', { project: 'tasmota', variant: 'sensors' }],
    ['Theo Arends\0tasmota|minimal|sensors|knx|lite|display|ir', { project: 'tasmota' }],
    ['Theo Arends\0<h3>MINIMAL firmware - please upgrade</h3>', { project: 'tasmota', variant: 'minimal' }],
    [
      "Theo Arends<h3>Donan\xc4\xb1m<br/>l\xc3\xbctfen</h3></div><div style='text-align:center;color:#%06x;'><noscript>",
      { project: 'tasmota', variant: 'minimal' },
    ],
    ["Theo Arends<body><div style='text-align:center;color:#%06x;'><noscript>", { project: 'tasmota' }],
    ['[I][app:100]: ESPHome version 2024.6.1 compiled on %s', { project: 'esphome', version: '2024.6.1' }],
    ["You're running ESPHome v1.10.1 compiled on", { project: 'esphome', version: '1.10.1' }],
    ['esphome version 1.12.2 compiled on %s', { project: 'esphome', version: '1.12.2' }],
    ['ESPHome version 2025.2.0-dev compiled on', { project: 'esphome', version: '2025.2.0-dev' }],
    ['_esphomelib', { project: 'esphome' }],
    ['[MAIN] ESPURNA 1.13.5 (a1b2c3d)\nhttp://tinkerman.cat', { project: 'espurna', version: '1.13.5' }],
    ['ESPURNA\0http://tinkerman.cat', { project: 'espurna' }],
    ['ESPURNA\0xose.perez@gmail.com', { project: 'espurna' }],
    ['ESPURNA_CORE\0http://tinkerman.cat', { project: 'espurna', variant: 'core' }],
    ['User-Agent: itead-device\r\nHost: dl.itead.cn', { project: 'itead-stock' }],
    ['eWeLink\0coolkit\0romVersion', { project: 'itead-stock' }],
    ['eWeLink\0romVersion', { project: 'unknown' }],
    ['itead', { project: 'unknown' }],
    ['#0001 [%04u] OK - WLED v0.15.0-b1\0WLED-AP', { project: 'wled', version: '0.15.0-b1' }],
    ['WLED\0WLED-AP', { project: 'wled' }],
    ["<header class='headermenu'><h1>ESP Easy Mega: ", { project: 'espeasy' }],
    ['<h1>Welcome to ESP Easy AP</h1>', { project: 'espeasy' }],
    ['}1Friendly name}2(Topic %s, Fallback %s, GroupTopic %s)', { project: 'tasmota', olderThan: '6.1' }],
    ['FinalStage\0http://192.168.4.2:8080/ota/image_arduino.bin', { project: 'e2a' }],
    ['FinalStage', { project: 'unknown' }],
    ['AT version:%d.%d.%d.%d(%s %s)\0+CIPUPDATE:1', { project: 'espressif-at' }],
    ['AT version:', { project: 'unknown' }],
    ['made for rehearsals with a virtual Sonoff; does nothing on a real one', { project: 'rehearsal' }],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text.slice(0, 60))}: ${Object.values(expected).join(' ')}`, () => {
      assert.deepEqual(identify(makeFinalImage({ text })), expected);
      assert.deepEqual(identify(makeUserImage({ slot: 2, text })), expected);
    });
  }

  it('shows so much of the age of a Tasmota without a version', () => {
    const of = (text: string, eboot?: EbootGeneration): Identity => {
      const bytes = makeFinalImage({ text, ...(eboot && { eboot }) });
      return examine(bytes, 'finalstage').identity;
    };
    assert.deepEqual(of('Theo Arends', 'gzip'), { project: 'tasmota', newerThan: '9.2' });
    assert.deepEqual(of('Theo Arends', 'raw'), { project: 'tasmota', olderThan: '7.2' });
    const version = `${tasmotaVersion('00000508')}by Theo Arends`;
    assert.deepEqual(of(version, 'gzip'), { project: 'tasmota', version: '8.5.0' });
    assert.deepEqual(of('ESP Easy Mega', 'gzip'), { project: 'espeasy' });
  });

  it('names the content of a whole ESP32 flash', () => {
    const flash = Buffer.alloc(0x10000, 0xff);
    Buffer.from('e904022078033840ee000000050000000000000000000001' + '2000003c20000000', 'hex').copy(flash);
    flash.set([0xaa, 0x50], 0x8000);
    flash.write('by Theo Arends', 0x9000, 'latin1');
    assert.deepEqual(identify(flash), { project: 'tasmota', variant: 'factory' });
    flash.copyWithin(0x1000, 0, 0x100);
    flash.fill(0xff, 0, 0x1000);
    assert.deepEqual(identify(flash), { project: 'tasmota', variant: 'factory' });
  });

  it('takes anything', () => {
    assert.deepEqual(identify(new Uint8Array()), { project: 'unknown' });
    assert.deepEqual(identify(Buffer.from('Theo Arends\xa5\x5a\xa5\x5a\x01', 'latin1')), { project: 'tasmota' });
  });
});
