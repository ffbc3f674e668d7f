import assert from 'node:assert/strict';
import {
  FINALSTAGE_ADDRESS,
  FINALSTAGE_FINAL_PATH,
  FINALSTAGE_HOST_ADDRESS,
  FINALSTAGE_PORT,
  FINALSTAGE_SSID,
  FINALSTAGE_USER2_PATH,
  finalStageImage,
} from '../../lib/protocol/finalstage';

describe('protocol/finalstage', () => {
  it('has what is compiled into the intermediate firmware (docs/dev/stock-firmware.md#5)', () => {
    assert.equal(FINALSTAGE_SSID, 'FinalStage');
    assert.equal(FINALSTAGE_ADDRESS, '192.168.4.1');
    assert.equal(`${FINALSTAGE_HOST_ADDRESS}:${FINALSTAGE_PORT}`, '192.168.4.2:8080');
    assert.equal(FINALSTAGE_USER2_PATH, '/ota/image_user2-0x81000.bin');
    assert.equal(FINALSTAGE_FINAL_PATH, '/ota/image_arduino.bin');
  });

  it('knows its two images by their paths, and no other', () => {
    assert.equal(finalStageImage('/ota/image_user2-0x81000.bin'), 'user2');
    assert.equal(finalStageImage('/ota/image_arduino.bin'), 'final');
    for (const path of [
      '',
      '/',
      '/ota/',
      '/ota/image_arduino.bin/',
      '/OTA/image_arduino.bin',
      '/ota/image_user1-0x01000.bin',
    ]) {
      assert.equal(finalStageImage(path), undefined);
    }
  });
});
